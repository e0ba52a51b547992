"""A triangular factor: its sums of squares, its inverse, and the minimum-norm solution where it is near singular."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.jacobi import decompose
from ridgeline.kernels.adf.layout import COLUMNS, SQUARE

# Condition (Frobenius) below which neither of the two cutoffs can take a singular value for zero.
SAFE_CONDITION = 1e12
# `pinv` in statsmodels' OLS drops singular values from here down; `matrix_rank` from columns * 2**-52 down.
PINV_CUTOFF = 1e-15
RANK_CUTOFF = 2.0**-52


@exact_kernel
def squares(r: np.ndarray, column: int, last: int, first: int) -> float:
    """Sum of squares of rows `first` to `last` of a column of the triangle."""
    total = 0.0
    for i in range(first, last + 1):
        total += r[i * COLUMNS + column] * r[i * COLUMNS + column]
    return total


@exact_kernel
def invert_column(r: np.ndarray, k: int, inverse: np.ndarray) -> float:
    """Append column k of the triangle's inverse (at 13 k); its sum of squares, infinite or NaN where singular."""
    own = 1.0 / r[k * COLUMNS + k]
    inverse[k * COLUMNS + k] = own
    total = own * own
    for i in range(k):
        v = 0.0
        for j in range(i, k):
            v += inverse[j * COLUMNS + i] * r[j * COLUMNS + k]
        v *= -own
        inverse[k * COLUMNS + i] = v
        total += v * v
    return total


@exact_kernel
def solve_singular(r: np.ndarray, k: int, target: int, spare: np.ndarray) -> tuple[int, float]:
    """Rank of the leading k columns, and what the minimum-norm solution leaves of the target inside them.

    Leaves V, s (0 where cut off) and the solution in `spare`: squares 1 and 2 hold W and V, then come s and b.
    """
    never_inline()
    w = spare[SQUARE : 2 * SQUARE]
    v = spare[2 * SQUARE : 3 * SQUARE]
    s = spare[3 * SQUARE : 3 * SQUARE + COLUMNS]
    b = spare[3 * SQUARE + COLUMNS : 3 * SQUARE + 2 * COLUMNS]
    decompose(r, k, w, v, s)
    largest = 0.0
    for j in range(k):
        largest = max(largest, s[j])
        b[j] = 0.0
    rank = 0
    for j in range(k):
        if s[j] > largest * k * RANK_CUTOFF:
            rank += 1
        if s[j] > largest * PINV_CUTOFF:
            along = 0.0
            for i in range(k):
                along += w[j * COLUMNS + i] * r[i * COLUMNS + target]
            along /= s[j] * s[j]
            for i in range(k):
                b[i] += along * v[j * COLUMNS + i]
        else:
            s[j] = 0.0
    inside = 0.0
    for i in range(k):
        left = r[i * COLUMNS + target]
        for j in range(i, k):
            left -= r[i * COLUMNS + j] * b[j]
        inside += left * left
    return rank, inside
