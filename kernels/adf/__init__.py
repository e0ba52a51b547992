"""The augmented Dickey-Fuller statistic as kernels: a fast path by normal equations, an exact one by QR and SVD."""
