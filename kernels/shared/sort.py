"""Sorting small samples in scratch, without numpy's sort, which allocates."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel

RUN = 64


@exact_kernel
def sort_into(x: np.ndarray, out: np.ndarray, spare: np.ndarray) -> None:
    """Write the points of x to `out` in ascending order; x, out, spare: float64[n], all apart, x finite.

    Runs of up to 64 are sorted by counting how many points precede each (no branch to mispredict, vectorised:
    faster than insertion up to about that length), then merged pairwise: n log n whatever the order.
    """
    n = x.size
    for start in range(0, n, RUN):
        stop = min(start + RUN, n)
        _rank(x[start:stop], out[start:stop])
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
def _rank(x: np.ndarray, out: np.ndarray) -> None:
    """Place each point by the number of smaller ones and of equal ones before it."""
    n = x.size
    for i in range(n):
        v = x[i]
        place = 0
        before = x[:i]
        for j in range(before.size):
            place += before[j] <= v
        after = x[i + 1 :]
        for j in range(after.size):
            place += after[j] < v
        out[place] = v


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
