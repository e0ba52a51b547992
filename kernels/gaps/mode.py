"""The usual step of a series: the one that most of its neighbouring points are apart."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.shared.sort import sort_into


@exact_kernel
def usual_step(t: np.ndarray, scratch: np.ndarray) -> int:
    """Return the most frequent step of t int64[n] in seconds, of equally frequent ones the smallest; 0 if there is none.

    t is ascending, its span below 2**53; equal timestamps are no step. scratch float64[gaps_room(n)].
    """
    n = t.size
    if n < 2:
        return 0
    # Nearly always one step makes up more than half of all, and most likely the one in the middle.
    step = t[n >> 1] - t[(n >> 1) - 1]
    alike = 0
    for i in range(1, n):
        alike += t[i] - t[i - 1] == step
    if step > 0 and 2 * alike > n - 1:
        return step
    count = 0
    for i in range(1, n):
        if t[i] > t[i - 1]:
            scratch[count] = t[i] - t[i - 1]
            count += 1
    ascending = scratch[n : n + count]
    sort_into(scratch[:count], ascending, scratch[2 * n :])
    best = 0
    most = 0
    first = 0
    for i in range(count):
        if ascending[i] != ascending[first]:
            first = i
        if i + 1 - first > most:
            most = i + 1 - first
            best = int(ascending[i])
    return best
