"""One metric, and everything that its verdict rests on."""
