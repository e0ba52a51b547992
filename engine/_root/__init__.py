"""Ridgeline: vectorized batch anomaly detection over whole fleets of metric time series."""

__version__ = "0.1.0"
