"""Sorting small samples in scratch, without numpy's sort, which allocates."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline

RUN: Final = 64
"""Points sorted by counting; longer samples are merged from runs of this length."""


@exact_kernel
def sort_into(x: np.ndarray, out: np.ndarray, spare: np.ndarray) -> None:
    """Write the points of x to `out` in ascending order; x, out: float64[n], spare: float64[max(n, RUN)], all apart.

    x is finite. Runs are sorted by counting how many points are smaller: quadratic, but without a branch to mispredict,
    and vectorised. Then they are merged pairwise: n log n whatever the order.
    """
    never_inline()
    n = x.size
    for start in range(0, n, RUN):
        stop = min(start + RUN, n)
        _place(x[start:stop], out[start:stop], spare)
    width = RUN
    while width < n:
        for i in range(n):
            spare[i] = out[i]
        for start in range(0, n, 2 * width):
            middle = min(start + width, n)
            stop = min(start + 2 * width, n)
            _merge(spare[start:middle], spare[middle:stop], out[start:stop])
        width *= 2


@exact_kernel
def _place(x: np.ndarray, out: np.ndarray, spare: np.ndarray) -> None:
    """Sort at most RUN points by the number of smaller ones; spare: float64[RUN]."""
    n = x.size
    # Whole vectors only: the compiler's scalar loop for a remainder would take as long as all the rest.
    whole = (n + 15) & ~15
    padded = spare[0:whole]
    for i in range(n):
        padded[i] = x[i]
        out[i] = math.nan
    for i in range(n, whole):
        padded[i] = math.inf
    for i in range(n):
        v = x[i]
        place = 0
        for j in range(whole):
            place += padded[j] < v
        out[place] = v
    # Equal points all went to the first of their places.
    for i in range(1, n):
        if math.isnan(out[i]):
            out[i] = out[i - 1]


@exact_kernel
def _merge(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    """Merge two ascending arrays into `out`."""
    i = j = 0
    for k in range(out.size):
        if j >= b.size or (i < a.size and a[i] <= b[j]):
            out[k] = a[i]
            i += 1
        else:
            out[k] = b[j]
            j += 1
