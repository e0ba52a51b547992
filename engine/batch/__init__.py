"""Batch: every point that came since a metric was last judged, late or in bursts, each judged as of itself, once."""
