"""Moves data: Redis, Parquet, HTTP, files. Arrow in and out."""
