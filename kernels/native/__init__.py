"""Machine code kept between processes: compiled once, loaded without numba."""
