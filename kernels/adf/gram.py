"""Inner products of all the regression's columns in one pass, and their update to the refit's longer sample."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.adf.layout import MAX_LAG

# Twelve columns: 0 the level, 1..10 the lagged differences, 11 the difference to explain.
SIZE = MAX_LAG + 2
TARGET = MAX_LAG + 1


@exact_kernel
def gram(z: np.ndarray, d: np.ndarray, g: np.ndarray, sums: np.ndarray) -> None:
    """Write the columns' inner products and sums over the m = n - 11 rows that all lags share.

    z: float64[n], the centred levels; d: float64[n], their n - 1 differences and one spare slot.
    g: float64[144], lower triangle row by row; sums: float64[12].

    Lag j of row r is d[10 + r - j]. A product of two lags at distance h depends on j only through the ends of its
    sum, so the middle is summed once per h and the ends are added: nothing is ever subtracted, hence no cancellation
    when a huge step enters or leaves at an end.
    """
    n = z.size
    m = n - 11
    # Twelve sums side by side (lag 10 first) let the compiler use vectors without reordering any of them.
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = a10 = a11 = 0.0
    y = d[10:]
    for r in range(m - 10):
        v = y[r]
        a0 += v * d[r]
        a1 += v * d[r + 1]
        a2 += v * d[r + 2]
        a3 += v * d[r + 3]
        a4 += v * d[r + 4]
        a5 += v * d[r + 5]
        a6 += v * d[r + 6]
        a7 += v * d[r + 7]
        a8 += v * d[r + 8]
        a9 += v * d[r + 9]
        a10 += v * d[r + 10]
        a11 += v * d[r + 11]
    b0 = b1 = b2 = b3 = b4 = b5 = b6 = b7 = b8 = b9 = b10 = b11 = 0.0
    c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = c8 = c9 = c10 = c11 = 0.0
    level = z[10:]
    for r in range(m):
        v = level[r]
        b0 += v * d[r]
        b1 += v * d[r + 1]
        b2 += v * d[r + 2]
        b3 += v * d[r + 3]
        b4 += v * d[r + 4]
        b5 += v * d[r + 5]
        b6 += v * d[r + 6]
        b7 += v * d[r + 7]
        b8 += v * d[r + 8]
        b9 += v * d[r + 9]
        b10 += v * d[r + 10]
        b11 += v * d[r + 11]
        c0 += d[r]
        c1 += d[r + 1]
        c2 += d[r + 2]
        c3 += d[r + 3]
        c4 += d[r + 4]
        c5 += d[r + 5]
        c6 += d[r + 6]
        c7 += d[r + 7]
        c8 += d[r + 8]
        c9 += d[r + 9]
        c10 += d[r + 10]
        c11 += d[r + 11]
    ll = 0.0
    ls = 0.0
    for r in range(m):
        ll += level[r] * level[r]
        ls += level[r]
    middle = (a10, a9, a8, a7, a6, a5, a4, a3, a2, a1, a0)
    across = (b10, b9, b8, b7, b6, b5, b4, b3, b2, b1, b0)
    total = (c10, c9, c8, c7, c6, c5, c4, c3, c2, c1, c0)
    g[0] = ll
    sums[0] = ls
    for j in range(11):
        p = TARGET if j == 0 else j
        g[p * SIZE] = across[j]
        sums[p] = total[j]
    for h in range(11):
        _diagonal(d, m, h, middle[h], g)


@exact_kernel
def _diagonal(d: np.ndarray, m: int, h: int, middle: float, g: np.ndarray) -> None:
    """Complete the products of lags j and j + h, for every j, from the sum over the rows common to all j."""
    n_lags = 11 - h
    # Suffix of lag j: rows m - 10 .. m - 1 - j. From the shortest (largest j) up.
    suffix = middle
    for r in range(m - 10, m - n_lags + 1):
        suffix += d[10 + r] * d[10 + r - h]
    for j in range(n_lags - 1, -1, -1):
        p = j + h if j + h > 0 else TARGET
        q = j if j > 0 else TARGET
        g[max(p, q) * SIZE + min(p, q)] = suffix
        r = m - j
        if j > 0:
            suffix += d[10 + r] * d[10 + r - h]
    prefix = 0.0
    for j in range(1, n_lags):
        prefix += d[10 - j] * d[10 - j - h]
        g[(j + h) * SIZE + j] += prefix


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
