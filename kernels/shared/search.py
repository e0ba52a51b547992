"""Searches in a row's ascending timestamps."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel


@exact_kernel
def from_time(t: np.ndarray, when: int) -> int:
    """Return the index of the first point at or after `when` (n if there is none); t int64[n] ascending."""
    low = 0
    high = t.size
    while low < high:
        middle = (low + high) >> 1
        if t[middle] < when:
            low = middle + 1
        else:
            high = middle
    return low


@exact_kernel
def after(t: np.ndarray, when: int) -> int:
    """Return the index of the first point later than `when` (n if there is none)."""
    return from_time(t, when + 1)


@exact_kernel
def daily_gap(t: np.ndarray) -> int:
    """Return the newest gap in seconds if it is that of an exactly-daily series (80,000 to 90,000, open), else 0."""
    n = t.size
    if n < 2:
        return 0
    gap = t[n - 1] - t[n - 2]
    return gap if 80000 < gap < 90000 else 0
