"""What a pass computes: one module for each family of lists."""
