"""The tail against the whole series."""

from __future__ import annotations

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.noise import guarded
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.stats import CENTRE, M2, MEAN, TAIL
from ridgeline.kernels.shared.summary import ratio, spread


@algorithm(min_points=2, threshold=3.0, cost=0, order=2, exact=True)
def stddev_from_average(row: Row, threshold: float) -> float:
    """The mean of the last three points is over three standard deviations from the series' mean.

    |tail - mean| > 3 s, s with ddof 1. O(1) from the summary.
    """
    never_inline()
    centre, tail, mean = row.stats[CENTRE], row.stats[TAIL], row.stats[MEAN]
    deviation = abs(tail - mean)
    score = ratio(deviation, threshold * spread(row.stats[M2], row.x.size, 1))
    return guarded(score, deviation, centre + tail, centre + mean, row.switches)
