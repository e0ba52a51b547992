"""What a run remembers of each series: sums that tell surely False votes, and a proof of where they stand."""
