"""Replays a dataset and writes scores, incidents and a manifest."""
