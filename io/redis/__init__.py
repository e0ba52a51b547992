"""Redis in Skyline's format: a client with bounded waits, series in, and series out when asked."""
