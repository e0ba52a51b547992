"""The ends of stored series, as Redis sends them, into what a run remembers."""
