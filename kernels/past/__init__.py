"""What became of points that were walked: a few numbers of each metric, by which late and rewritten ones are told."""
