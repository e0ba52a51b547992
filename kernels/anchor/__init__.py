"""Series that were read in full, into what later runs remember of them."""
