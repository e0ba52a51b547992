"""Skyline's msgpack pair stream into columns."""
