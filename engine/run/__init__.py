"""One bulk run, from lock to summary."""
