"""The newest point against the median absolute deviation."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, exact_kernel, never_inline
from ridgeline.kernels.shared.median import bracket, median
from ridgeline.kernels.shared.noise import guarded
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.scaling import DOWN, SHORT, UP, scale
from ridgeline.kernels.shared.stats import WANT_SCORES
from ridgeline.kernels.shared.switches import GUARDED


@exact_kernel
def deviations_of(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float, float]:
    """Return (median, |x_n - med|, MAD) of x float64[n]."""
    n = x.size
    middle = median(x, scratch)
    deviations = scratch[:n]
    for i in range(n):
        deviations[i] = abs(x[i] - middle)
    newest = deviations[n - 1]
    return middle, newest, median(deviations, scratch[n:])


@exact_kernel
def rescaled(x: np.ndarray, unit: float, scratch: np.ndarray) -> tuple[float, float, float]:
    """Return `deviations_of` x times unit, where no sum of two values overflows and halves of them are numbers."""
    never_inline()
    z = scratch[: x.size]
    scale(x, unit, z)
    return deviations_of(z, scratch[x.size :])


@exact_kernel
def exact_score(x: np.ndarray, threshold: float, switches: np.ndarray, scratch: np.ndarray) -> float:
    """Return |x_n - med| / MAD / threshold; 0 where MAD is 0; above 1 exactly when |x_n - med| / MAD > threshold."""
    value = x[x.size - 1]
    middle, newest, mad = deviations_of(x, scratch)
    if switches[GUARDED] != 0 and not (SHORT < newest < np.inf) and newest != 0.0:
        unit = UP if newest < SHORT else DOWN
        value *= unit
        middle, newest, mad = rescaled(x, unit, scratch)
    if not mad > 0.0:
        return 0.0
    statistic = newest / mad
    score = statistic / threshold
    if statistic > threshold:
        return guarded(score if score > 1.0 else np.nextafter(1.0, 2.0), newest, value, middle, switches)
    return min(score, 1.0)


@exact_kernel
def surely_not(x: np.ndarray, threshold: float, scratch: np.ndarray) -> bool:
    """Return whether the vote is surely False, by one count about an interval that holds the median.

    If the median lies in [low, high], then |x_n - med| <= d = max(x_n - low, high - x_n), and a point nearer than
    g = d / threshold to the median lies in (low - g, high + g). With at most (n-1)//2 such points both middle
    deviations are at least g, so |x_n - med| / MAD <= threshold. Rounding is monotone, and g has room for it.
    """
    n = x.size
    if n < 3:
        return False
    low, high = bracket(x, scratch)
    newest = x[n - 1]
    g = max(newest - low, high - newest) / threshold * (1.0 + 1e-12)
    left = low - g
    right = high + g
    below = 0
    above = 0
    near = 0
    for i in range(n):
        v = x[i]
        below += v < low
        above += v > high
        near += (v >= left) & (v <= right)
    first = (n - 1) // 2
    if below > first or above > n - 1 - n // 2:
        return False
    # Either too few are near, or over half of all points equal the median: MAD is 0.
    return near <= first or (low == high and n - below - above > n // 2)


@algorithm(min_points=2, threshold=6.0, cost=8, order=6, exact=True)
def median_absolute_deviation(row: Row, threshold: float) -> float:
    """The newest point is over six median absolute deviations from the median.

    |x_n - med| / MAD > 6, MAD the median of |x_i - med|; MAD 0 compares with nothing.
    """
    never_inline()
    if row.stats[WANT_SCORES] == 0.0 and surely_not(row.x, threshold, row.scratch):
        return 0.0
    return exact_score(row.x, threshold, row.switches, row.scratch)
