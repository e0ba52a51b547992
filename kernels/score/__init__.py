"""The newest window of each metric: the fused row function and its block entry."""
