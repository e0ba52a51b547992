"""A run beside a live Skyline that changes nothing: what both find, and what only one of them does."""
