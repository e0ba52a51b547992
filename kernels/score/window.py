"""Which points of a row a profile considers, and whether they are worth scoring."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.prepare.counter import has_negatives, is_counter, most_drops
from ridgeline.kernels.score.layout import (
    ANALYSED,
    BORING,
    COUNT,
    COUNTER,
    EMPTY,
    NEGATIVE,
    RESOLUTION,
    STALE,
    TIMESTAMP,
    TOO_SHORT,
)
from ridgeline.kernels.shared.search import after
from ridgeline.kernels.shared.stats import FALLS, SIGNED
from ridgeline.kernels.shared.steps import median_step
from ridgeline.kernels.shared.switches import BORING_POINTS, DROP_FUTURE, MIN_POINTS, SKYLINE, WINDOWED


@exact_kernel
def considered(t: np.ndarray, as_of: int, full_duration: int, switches: np.ndarray) -> tuple[int, int]:
    """Return (start, end) of the points that count: up to as_of, and within full_duration of the newest of them."""
    end = t.size
    if switches[DROP_FUTURE] != 0 and end > 0 and t[end - 1] > as_of:
        end = after(t, as_of)
    start = 0
    if switches[WINDOWED] != 0 and end > 0:
        oldest = t[end - 1] - full_duration
        if t[0] <= oldest:
            start = after(t[:end], oldest)
    return start, end


@exact_kernel
def keep_last(t: np.ndarray, x: np.ndarray, kept_t: np.ndarray, kept_x: np.ndarray) -> int:
    """Copy the last point of each timestamp to kept_t int64[>= n], kept_x float64[>= n]; return how many."""
    count = 0
    for i in range(t.size):
        if i + 1 == t.size or t[i + 1] != t[i]:
            kept_t[count] = t[i]
            kept_x[count] = x[i]
            count += 1
    return count


@exact_kernel
def outcome_of(t: np.ndarray, x: np.ndarray, as_of: int, stale_period: int, switches: np.ndarray) -> int:
    """Return the outcome of the considered points, tested in the documented order."""
    never_inline()
    n = x.size
    if n == 0:
        return EMPTY
    if n < switches[MIN_POINTS]:
        return TOO_SHORT
    if as_of - t[n - 1] > stale_period:
        return STALE
    if switches[BORING_POINTS] < 1:
        return ANALYSED
    newest = x[n - 1]
    for i in range(n - 2, max(n - 1 - switches[BORING_POINTS], -1), -1):
        if x[i] != newest:
            return ANALYSED
    return BORING


@exact_kernel
def describe(
    t: np.ndarray,
    x: np.ndarray,
    stats: np.ndarray,
    facts: np.ndarray,
    switches: np.ndarray,
    steps: int,
    scratch: np.ndarray,
) -> None:
    """Write what is told of a row's considered points, whatever its outcome; scratch float64[>= 4 n + 128].

    stats: its SIGNED and FALLS rule out most; steps: not 0 where the median step is told.
    """
    never_inline()
    n = x.size
    facts[COUNT] = n
    facts[TIMESTAMP] = t[n - 1] if n > 0 else 0
    facts[RESOLUTION] = median_step(t, scratch) if steps != 0 else 0
    facts[NEGATIVE] = n > 0 and (x[n - 1] < 0.0 or (stats[SIGNED] != 0.0 and has_negatives(x)))
    facts[COUNTER] = stats[FALLS] <= most_drops(n) and is_counter(x, switches[SKYLINE], scratch)
