"""What is known of a window before it is judged, and what is done to its series: counters, fills, resolution."""
