"""Sockets and HTTP with deadlines, and the addresses that may be reached."""
