"""The pass over a window that anchors its sums: all of them at once, for a window is 12 kB and memory is what it waits for."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import kernel, never_inline


@kernel
def window_sums(x: np.ndarray, weights: np.ndarray, origin: float) -> tuple[float, float, float, float, int]:
    """Return the sums of d, d d, w d and w d d for d = x - origin, and how many of x are below 0.

    x, weights float64[n]. -0.0 is not below 0.
    """
    never_inline()
    s = 0.0
    q = 0.0
    ws = 0.0
    wq = 0.0
    negatives = 0
    for i in range(x.size):
        d = x[i] - origin
        wd = weights[i] * d
        s += d
        q += d * d
        ws += wd
        wq += wd * d
        negatives += x[i] < 0.0
    return s, q, ws, wq, negatives
