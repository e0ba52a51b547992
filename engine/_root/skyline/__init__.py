"""Skyline's own names, for code that calls them: `from ridgeline.skyline.alerters import trigger_alert`."""
