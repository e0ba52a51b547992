"""The mildest half of the newest residuals: one value, or a few, cannot be what all of them tell."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import RECENT

MILDEST: Final = 6
assert RECENT == 2 * MILDEST, "two sorted halves are looked at"


@exact_kernel
def mean_of_mildest(ring: np.ndarray, y: float) -> float:
    """Return the mean of the least 6 of ring float32[12], of -ring where y is below 0; of equals the first count.

    They are summed in the order of the ring.
    """
    always_inline()
    side = np.float32(1.0 if y >= 0.0 else -1.0)
    limit = _sixth(
        _sorted(side * ring[0], side * ring[1], side * ring[2], side * ring[3], side * ring[4], side * ring[5]),
        _sorted(side * ring[6], side * ring[7], side * ring[8], side * ring[9], side * ring[10], side * ring[11]),
    )
    less = 0
    for i in range(RECENT):
        less += side * ring[i] < limit
    equal = MILDEST - less  # so many of those that are the limit
    total = 0.0
    for i in range(RECENT):
        mine = side * ring[i]
        taken = (mine < limit) | ((mine == limit) & (equal > 0))
        equal -= mine == limit
        total += np.float64(mine) if taken else 0.0
    return total / MILDEST


@exact_kernel
def _sixth(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the sixth least of two times six sorted numbers: the least of one meet the largest of the other."""
    always_inline()
    return max(min(a[0], b[5]), min(a[1], b[4]), min(a[2], b[3]), min(a[3], b[2]), min(a[4], b[1]), min(a[5], b[0]))


@exact_kernel
def _sorted(a: float, b: float, c: float, d: float, e: float, f: float) -> tuple[float, ...]:
    """Return six numbers in order, by the network of twelve exchanges (Knuth, The Art of Computer Programming 3, 5.3.4)."""
    always_inline()
    a, f = min(a, f), max(a, f)
    b, d = min(b, d), max(b, d)
    c, e = min(c, e), max(c, e)
    b, c = min(b, c), max(b, c)
    d, e = min(d, e), max(d, e)
    a, d = min(a, d), max(a, d)
    c, f = min(c, f), max(c, f)
    a, b = min(a, b), max(a, b)
    c, d = min(c, d), max(c, d)
    e, f = min(e, f), max(e, f)
    b, c = min(b, c), max(b, c)
    d, e = min(d, e), max(d, e)
    return a, b, c, d, e, f
