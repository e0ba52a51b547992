"""Triangular factor of a tall matrix, a block of rows at a time, so that scratch does not grow with the rows."""

from __future__ import annotations

import math

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.layout import BLOCK, COLUMNS


@exact_kernel
def absorb(r: np.ndarray, block: np.ndarray, columns: int) -> None:
    """Rotate a block of rows into the triangle `r` by Householder reflections; the block is used up.

    r: float64[169], upper triangle, row i at 13 i. block: float64[416], column j at 32 j, unused rows zero.
    """
    never_inline()
    for j in range(columns):
        own = block[j * BLOCK : (j + 1) * BLOCK]
        below = _dot(own, own)
        if below == 0.0:
            continue
        head = r[j * COLUMNS + j]
        norm = math.sqrt(head * head + below)
        # The sign that adds: u = column + sign(head) norm e, reflected head = -sign(head) norm.
        pivot = head + norm if head >= 0.0 else head - norm
        r[j * COLUMNS + j] = -norm if head >= 0.0 else norm
        beta = 2.0 / (pivot * pivot + below)
        for k in range(j + 1, columns):
            other = block[k * BLOCK : (k + 1) * BLOCK]
            factor = beta * (pivot * r[j * COLUMNS + k] + _dot(own, other))
            r[j * COLUMNS + k] -= factor * pivot
            for i in range(BLOCK):
                other[i] -= factor * own[i]


@exact_kernel
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Inner product of two columns of a block, four sums side by side."""
    s0 = s1 = s2 = s3 = 0.0
    for i in range(0, BLOCK, 4):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
    return (s0 + s1) + (s2 + s3)
