"""Graded scores of many rows: the k-th largest score, and the mean of them all."""
