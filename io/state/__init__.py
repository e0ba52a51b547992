"""What a run remembers for the next one, in Redis or in one SQLite file."""
