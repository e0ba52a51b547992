"""Tells people: one module per channel."""
