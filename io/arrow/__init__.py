"""Arrow tables in: which columns they must have, and their points as plain arrays in runs."""
