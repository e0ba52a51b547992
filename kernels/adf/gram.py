"""Inner products of all the regression's columns, and their update to the refit's longer sample."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.lanes import LANES, lagged_products
from ridgeline.kernels.adf.layout import MAX_LAG

# Twelve columns: 0 the level, 1..10 the lagged differences, 11 the difference to explain (lag 0).
SIZE = MAX_LAG + 2
TARGET = MAX_LAG + 1


@exact_kernel
def gram(z: np.ndarray, d: np.ndarray, g: np.ndarray, sums: np.ndarray, spare: np.ndarray) -> None:
    """Write the columns' inner products and sums over the m = n - 11 rows that all lags share.

    z: float64[n], the centred levels; d: float64[n], their n - 1 differences and one spare slot.
    g: float64[144], lower triangle row by row; sums: float64[12]; spare: float64[24].

    Lag j of row r is d[10 + r - j]. A product of two lags at distance h depends on j only through the ends of its
    sum, so the middle is summed once per h and the ends are added: nothing is ever subtracted, hence no cancellation
    when a huge step enters or leaves at an end.
    """
    never_inline()
    m = z.size - 11
    level = z[MAX_LAG : MAX_LAG + m]
    middle = spare[0:LANES]
    across = spare[LANES : 2 * LANES]
    lagged_products(d[MAX_LAG:], d, m - MAX_LAG, middle)
    lagged_products(level, d, m, across)
    sums[0], g[0] = level_sums(level)
    for j in range(MAX_LAG + 1):
        p = j if j > 0 else TARGET
        g[p * SIZE] = across[MAX_LAG - j]
        # Differences sum to the difference of the ends.
        sums[p] = z[MAX_LAG - j + m] - z[MAX_LAG - j]
    for h in range(MAX_LAG + 1):
        _complete(d, m, h, middle[MAX_LAG - h], g)


@exact_kernel
def level_sums(x: np.ndarray) -> tuple[float, float]:
    """Sum and sum of squares, four of each side by side, so that none waits for the one before."""
    s0 = s1 = s2 = s3 = 0.0
    q0 = q1 = q2 = q3 = 0.0
    whole = x.size & ~3
    for i in range(0, whole, 4):
        s0 += x[i]
        s1 += x[i + 1]
        s2 += x[i + 2]
        s3 += x[i + 3]
        q0 += x[i] * x[i]
        q1 += x[i + 1] * x[i + 1]
        q2 += x[i + 2] * x[i + 2]
        q3 += x[i + 3] * x[i + 3]
    for i in range(whole, x.size):
        s0 += x[i]
        q0 += x[i] * x[i]
    return (s0 + s1) + (s2 + s3), (q0 + q1) + (q2 + q3)


@exact_kernel
def _complete(d: np.ndarray, m: int, h: int, middle: float, g: np.ndarray) -> None:
    """Write the products of lags j and j + h, for every j, from the sum over the rows common to all j."""
    pairs = MAX_LAG + 1 - h
    # The common rows are 0 .. m - 11 of lag 0; lag j has rows -j .. m - 1 - j of it. Behind, from the shortest up:
    total = middle
    for r in range(m - MAX_LAG, m - pairs + 1):
        total += d[MAX_LAG + r] * d[MAX_LAG + r - h]
    for j in range(pairs - 1, -1, -1):
        p = j + h if j + h > 0 else TARGET
        q = j if j > 0 else TARGET
        g[max(p, q) * SIZE + min(p, q)] = total
        if j > 0:
            total += d[MAX_LAG + m - j] * d[MAX_LAG + m - j - h]
    # In front:
    total = 0.0
    for j in range(1, pairs):
        total += d[MAX_LAG - j] * d[MAX_LAG - j - h]
        g[(j + h) * SIZE + j] += total


@exact_kernel
def extend(z: np.ndarray, d: np.ndarray, lag: int, g: np.ndarray, sums: np.ndarray) -> None:
    """Add the rows that a regression with `lag` lags has in front of the common ones (10 - lag of them)."""
    for i in range(lag, MAX_LAG):
        y = d[i]
        level = z[i]
        g[TARGET * SIZE + TARGET] += y * y
        g[TARGET * SIZE] += y * level
        g[0] += level * level
        sums[0] += level
        sums[TARGET] += y
        for j in range(1, lag + 1):
            v = d[i - j]
            sums[j] += v
            g[j * SIZE] += v * level
            g[TARGET * SIZE + j] += v * y
            for k in range(1, j + 1):
                g[j * SIZE + k] += v * d[i - k]
