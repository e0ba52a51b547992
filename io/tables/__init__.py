"""Tables of every common shape and format: found out, read in bounded pieces, and brought into the columns of a dataset."""
