"""Walks: what they learned of each metric, and their scores of new points."""
