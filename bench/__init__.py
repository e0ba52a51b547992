"""Measures: the library behind `ridgeline bench`."""
