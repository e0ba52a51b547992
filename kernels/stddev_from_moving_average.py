"""The newest point against an exponentially weighted average."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, exact_kernel, kernel, never_inline
from ridgeline.kernels.shared.noise import guarded
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.scaling import HUGE, TINY, scale, unit_of
from ridgeline.kernels.shared.summary import ratio
from ridgeline.kernels.shared.switches import GUARDED
from ridgeline.kernels.shared.weights import DECAY


@kernel
def weighted_sums(x: np.ndarray, w: np.ndarray, origin: float) -> tuple[float, float]:
    """Return the sums of w d and of w d d for d = x - origin; x, w float64[n]."""
    s = 0.0
    q = 0.0
    for i in range(x.size):
        d = x[i] - origin
        wd = w[i] * d
        s += wd
        q += wd * d
    return s, q


@exact_kernel
def weightless(w: np.ndarray) -> int:
    """Return how many of the oldest points have no weight at all; w float64[n], ascending, newest 1."""
    first = 0
    while w[first] == 0.0:
        first += 1
    return first


@exact_kernel
def moving_deviation(s: float, q: float, oldest: float) -> tuple[float, float]:
    """Return (ewma_n - x_n, ewmstd_n), adjusted weights, bias corrected, as pandas defines them.

    s, q: the weighted sums about x_n; oldest: the oldest point's weight.

    One pass about x_n does: x_n holds at least 1/51 of the weight, so the variance is never below 1/52 of the mean
    square about x_n and the subtraction costs under two digits.
    """
    total = (1.0 - DECAY * oldest) / (1.0 - DECAY)
    squares = (1.0 - DECAY * oldest * (DECAY * oldest)) / (1.0 - DECAY * DECAY)
    mean = s / total
    variance = max(q / total - mean * mean, 0.0) / (1.0 - squares / (total * total))
    return mean, np.sqrt(variance)


@algorithm(min_points=2, threshold=3.0, cost=6, order=7, exact=True)
def stddev_from_moving_average(row: Row, threshold: float) -> float:
    """The newest point is over three exponentially weighted deviations from the moving average.

    |x_n - ewma_n| > 3 ewmstd_n with centre of mass 50 (alpha = 1/51). At the newest point the recursion is a
    weighted sum, whose weights depend on n only.
    """
    never_inline()
    if row.x.size < 2:
        return 0.0
    x, w = row.x, row.w
    s, q = weighted_sums(x, w, x[x.size - 1])
    if row.switches[GUARDED] != 0 and not TINY < q < HUGE:
        first = weightless(w)
        unit = unit_of(x[first:], row.scratch)
        if unit == 0.0:
            return 0.0
        x, w = row.scratch[: x.size - first], w[first:]
        scale(row.x[first:], unit, x)
        s, q = weighted_sums(x, w, x[x.size - 1])
    mean, deviations = moving_deviation(s, q, row.w[0])
    newest = x[x.size - 1]
    score = ratio(abs(mean), threshold * deviations)
    return guarded(score, abs(mean), newest, newest + mean, row.switches)
