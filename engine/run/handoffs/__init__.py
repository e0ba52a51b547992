"""What a run hands to Skyline's siblings and takes from them: one module each, and what they share."""
