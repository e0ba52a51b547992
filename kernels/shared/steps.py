"""The resolution of a window: the median of its steps from one timestamp to the next."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.shared.median import median

LONGEST: Final = 2**31 - 1  # seconds: what an int32 holds


@exact_kernel
def count_steps(t: np.ndarray, step: int) -> int:
    """Return how many steps of t int64[n] are of that length."""
    count = 0
    for i in range(1, t.size):
        count += t[i] - t[i - 1] == step
    return count


@exact_kernel
def median_step(t: np.ndarray, scratch: np.ndarray) -> int:
    """Return the median step of t int64[n] in seconds, rounded down; 0 below two distinct timestamps.

    t is ascending; equal timestamps are no step. At most `LONGEST`. scratch float64[>= 4 n + 128].
    """
    never_inline()
    n = t.size
    if n < 2 or t[n - 1] == t[0]:
        return 0
    middle = t[n >> 1] - t[(n >> 1) - 1]
    # Nearly always one step makes up more than half of all, and then it is the median.
    if middle > 0 and 2 * count_steps(t, middle) > n - 1:
        return min(middle, LONGEST)
    steps = scratch[:n]
    count = 0
    for i in range(1, n):
        if t[i] > t[i - 1]:
            steps[count] = t[i] - t[i - 1]
            count += 1
    return min(int(median(steps[:count], scratch[n:])), LONGEST)
