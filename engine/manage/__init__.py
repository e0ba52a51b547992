"""Keeps the lists and classes true that Skyline's siblings read: computed from the configuration and the names in Redis."""
