"""Airgaps: stretches of a series in which points are missing."""
