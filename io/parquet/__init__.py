"""Parquet datasets: files, names, rows in bounded pieces, and whole files out."""
