"""Requests to Redis: one command per key, as the bytes that its protocol frames them in."""
