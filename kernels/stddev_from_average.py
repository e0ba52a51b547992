"""The tail against the whole series."""

from __future__ import annotations

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.summary import M2, MEAN, TAIL, ratio, spread


@algorithm(min_points=2, threshold=3.0, cost=0, order=2, exact=True)
def stddev_from_average(t, x, w, stats, threshold, switches, as_of, scratch):
    """The mean of the last three points is over three standard deviations from the series' mean.

    |tail - mean| > 3 s, s with ddof 1. O(1) from the summary.
    """
    never_inline()
    return ratio(abs(stats[TAIL] - stats[MEAN]), threshold * spread(stats[M2], x.size, 1))
