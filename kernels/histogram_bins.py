"""The tail in a nearly empty bin."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, exact_kernel, never_inline
from ridgeline.kernels.shared.bounds import bounds
from ridgeline.kernels.shared.noise import noise_of
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.scaling import DOWN, SHORT, UP, scale
from ridgeline.kernels.shared.summary import plain_tail
from ridgeline.kernels.shared.switches import GUARDED, HISTOGRAM, HISTOGRAM_EARTHGECKO, HISTOGRAM_OWN_BIN

BINS = 15


@exact_kernel
def edge(k: int, low: float, high: float, step: float) -> float:
    """Return the left edge of bin k; edge 15 is the maximum itself."""
    return high if k == BINS else low + k * step


@exact_kernel
def bin_of(tail: float, low: float, high: float, step: float) -> int:
    """Return the last bin whose left edge is at or below the tail, -1 below the first, 15 at or above the maximum."""
    if tail < low:
        return -1
    k = min(max(int((tail - low) / step), 0), BINS - 1) if step > 0.0 else 0
    while k > 0 and tail < edge(k, low, high, step):
        k -= 1
    while k < BINS and tail >= edge(k + 1, low, high, step):
        k += 1
    return k


@exact_kernel
def count_between(x: np.ndarray, left: float, right: float, closed: int) -> int:
    """Return how many of x float64[n] lie in [left, right), or [left, right] where `closed` is not 0."""
    count = 0
    if closed:
        for i in range(x.size):
            count += (x[i] >= left) & (x[i] <= right)
    else:
        for i in range(x.size):
            count += (x[i] >= left) & (x[i] < right)
    return count


@exact_kernel
def count_by_index(x: np.ndarray, k: int, low: float, high: float) -> int:
    """Return how many of x float64[n] the reference's analyzer puts in bin k: int(15 (x - min) / (max - min))."""
    width = high - low
    count = 0
    for i in range(x.size):
        place = BINS * (x[i] - low) / width
        inside = (place >= k) & (place < k + 1) & (x[i] != high)
        count += inside | ((k == BINS - 1) & (x[i] == high))
    return count


@exact_kernel
def finite_bins(low: float, high: float, step: float) -> bool:
    """Return whether numpy could make fifteen bins: all edges ascending."""
    for k in range(BINS):  # noqa: SIM110 - numba compiles the plain form
        if not edge(k, low, high, step) < edge(k + 1, low, high, step):
            return False
    return True


@exact_kernel
def count_with_near(x: np.ndarray, tail: float, left: float, right: float, closed: int) -> int:
    """Return how many of x lie in [left, right), or [left, right], or differ from the tail by rounding only."""
    reach = noise_of(tail, tail)
    count = 0
    for i in range(x.size):
        inside = (x[i] >= left) & ((x[i] < right) | ((closed != 0) & (x[i] == right)))
        count += inside | (abs(x[i] - tail) <= reach)
    return count


@exact_kernel
def own_bin_count(x: np.ndarray, low: float, high: float, few: float) -> int:
    """Return the number of points in the tail's own bin, all edges included.

    Where they are no more than `few`, those count too that differ from the tail by rounding only; few -1: they never do.
    """
    step = (high - low) / BINS
    tail = plain_tail(x)
    k = min(max(bin_of(tail, low, high, step), 0), BINS - 1)
    left, right, closed = edge(k, low, high, step), edge(k + 1, low, high, step), k == BINS - 1
    count = count_between(x, left, right, closed)
    return count_with_near(x, tail, left, right, closed) if count <= few else count


@exact_kernel
def bin_count(x: np.ndarray, rule: int, few: float, scratch: np.ndarray) -> int:
    """Return the number of points in the tail's bin, -1 where the tail is in none, -2 where there are no bins.

    few: under a profile that guards, the largest count that is a vote; else -1 (`own_bin_count`).
    """
    low, high = bounds(x, scratch)
    if low == high and rule == HISTOGRAM_EARTHGECKO:
        return 0
    if low == high:
        return -1
    if few >= 0.0 and not (SHORT < high - low < np.inf and abs(plain_tail(x)) < np.inf):
        unit = UP if high - low < SHORT else DOWN
        z = scratch[: x.size]
        scale(x, unit, z)
        x = z
        low *= unit
        high *= unit
    if rule == HISTOGRAM_OWN_BIN:
        return own_bin_count(x, low, high, few)
    step = (high - low) / BINS
    tail = plain_tail(x)
    if rule != HISTOGRAM_EARTHGECKO and not finite_bins(low, high, step):
        return -2
    k = bin_of(tail, low, high, step)
    if k < 0:
        k = 0
    elif k == BINS or (k == 0 and tail > low):
        return -1
    if rule == HISTOGRAM_EARTHGECKO:
        return count_by_index(x, k, low, high)
    return count_between(x, edge(k, low, high, step), edge(k + 1, low, high, step), k == BINS - 1)


@exact_kernel
def score_of_count(count: int, few: float) -> float:
    """Return the score of a bin of so many points (negative: of none), `few` being the largest that is a vote."""
    if count < 0:
        return 0.0
    return (few + 1.0) / count if count > 0 else 2.0 * (few + 1.0)


@algorithm(min_points=2, threshold=20.0, cost=4, order=0, exact=True)
def histogram_bins(row: Row, threshold: float) -> float:
    """The mean of the last three points falls in a histogram bin of at most twenty points.

    Fifteen equal bins over [min, max]. The reference profiles never flag a tail inside the first bin above the
    minimum, nor one at the maximum. NaN (failed) where numpy could not make fifteen finite bins.
    """
    never_inline()
    few = np.floor(threshold)
    count = bin_count(row.x, row.switches[HISTOGRAM], few if row.switches[GUARDED] != 0 else -1.0, row.scratch)
    if count == -2:
        return np.nan
    return score_of_count(count, few)
