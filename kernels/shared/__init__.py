"""Passes that several algorithms share."""
