"""Who is judged how: profiles, policies, overrides per pattern, and users' own algorithms."""
