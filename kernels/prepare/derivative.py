"""The non-negative derivative of a counter: by how much it rose at each point since the point before it."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel


@exact_kernel
def rises_into(t: np.ndarray, x: np.ndarray, out_t: np.ndarray, out_x: np.ndarray) -> int:
    """Write (t[i], x[i] - x[i - 1]) of the points that are not lower than the one before them; return how many.

    The first point, every reset and a rise too large for a number are left out; a rise over a gap is not divided by its
    length.
    t int64[n], x float64[n]; out arrays of at least n - 1.
    """
    count = 0
    for i in range(1, t.size):
        rise = x[i] - x[i - 1]
        out_t[count] = t[i]  # the next point takes this one's place where it is no rise
        out_x[count] = rise
        count += (rise >= 0.0) & (rise < np.inf)
    return count
