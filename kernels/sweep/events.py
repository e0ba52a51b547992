"""The steps above a threshold, in order; for the next threshold only these are looked at."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel


@exact_kernel
def above(scores: np.ndarray, threshold: float, events: np.ndarray) -> int:
    """Write the places of the scores, float32[N], that exceed the threshold into events int64[N]; return how many."""
    count = 0
    for at in range(scores.size):
        if scores[at] > threshold:
            events[count] = at
            count += 1
    return count


@exact_kernel
def thinned(scores: np.ndarray, threshold: float, events: np.ndarray, count: int) -> int:
    """Keep of the first `count` events those that exceed the threshold; return how many."""
    kept = 0
    for at in range(count):
        if scores[events[at]] > threshold:
            events[kept] = events[at]
            kept += 1
    return kept
