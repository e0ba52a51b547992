"""One window of many metrics: matrix in, verdicts out."""
