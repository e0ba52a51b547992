"""Singular values and right vectors of a small matrix by one-sided Jacobi rotations."""

from __future__ import annotations

import math

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.layout import COLUMNS

SWEEPS = 40


@exact_kernel
def decompose(r: np.ndarray, k: int, w: np.ndarray, v: np.ndarray, s: np.ndarray) -> None:
    """Rotate the columns of R, the leading k x k triangle of `r`, until orthogonal: W = R V, s[j] = |W[:, j]|.

    r: float64[169], rows of 13. w, v: float64[169], column j at 13 j. s: float64[13], unordered.
    Hestenes' method: relative accuracy of small singular values is as good as the matrix allows.
    """
    never_inline()
    for j in range(k):
        for i in range(k):
            w[j * COLUMNS + i] = r[i * COLUMNS + j] if i <= j else 0.0
            v[j * COLUMNS + i] = 1.0 if i == j else 0.0
    for _ in range(SWEEPS):
        rotated = False
        for p in range(k - 1):
            for q in range(p + 1, k):
                rotated |= _rotate(w, v, k, p * COLUMNS, q * COLUMNS)
        if not rotated:
            break
    for j in range(k):
        total = 0.0
        for i in range(k):
            total += w[j * COLUMNS + i] * w[j * COLUMNS + i]
        s[j] = math.sqrt(total)


@exact_kernel
def _rotate(w: np.ndarray, v: np.ndarray, k: int, p: int, q: int) -> bool:
    """Make the columns at `p` and `q` orthogonal; False when they already are, to working precision."""
    alpha = beta = gamma = 0.0
    for i in range(k):
        alpha += w[p + i] * w[p + i]
        beta += w[q + i] * w[q + i]
        gamma += w[p + i] * w[q + i]
    if abs(gamma) <= 1e-15 * math.sqrt(alpha) * math.sqrt(beta) or gamma == 0.0:
        return False
    zeta = (beta - alpha) / (2.0 * gamma)
    tangent = 1.0 / (abs(zeta) + math.sqrt(1.0 + zeta * zeta))
    if zeta < 0.0:
        tangent = -tangent
    cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
    sine = cosine * tangent
    for i in range(k):
        a = w[p + i]
        b = w[q + i]
        w[p + i] = cosine * a - sine * b
        w[q + i] = sine * a + cosine * b
        a = v[p + i]
        b = v[q + i]
        v[p + i] = cosine * a - sine * b
        v[q + i] = sine * a + cosine * b
    return True
