"""Scores detections against labels."""
