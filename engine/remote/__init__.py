"""Files of other hosts' Skyline: what they have, where it may lie here, and fetching what is missing."""
