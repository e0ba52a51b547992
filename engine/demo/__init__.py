"""The demonstration: a synthetic fleet with planted incidents, and the real job on it."""
