"""What a run writes into Redis for Skyline's siblings: one module for each family of keys."""
