"""Grubbs' test of the tail."""

from __future__ import annotations

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.noise import guarded
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.stats import CENTRE, CRITICAL, M2, MEAN, TAIL
from ridgeline.kernels.shared.summary import ratio, spread
from ridgeline.kernels.shared.switches import DDOF, TWO_SIDED


@algorithm(min_points=3, threshold=0.05, cost=1, order=3, exact=True)
def grubbs(row: Row, threshold: float) -> float:  # noqa: ARG001 - its limit goes by the number of points: stats[CRITICAL]
    """The mean of the last three points is an outlier by Grubbs' test (Grubbs 1950).

    z = (tail - mean) / s against ((n-1)/sqrt(n)) sqrt(c^2 / (n-2+c^2)), c the upper threshold/(2n) point of
    Student's t with n-2 degrees of freedom: stats[CRITICAL], by n and threshold. The reference profiles look at
    the high side only. No spread: no vote.
    """
    never_inline()
    s = spread(row.stats[M2], row.x.size, row.switches[DDOF])
    if not s > 0.0:
        return 0.0
    centre, tail, mean = row.stats[CENTRE], row.stats[TAIL], row.stats[MEAN]
    z = (tail - mean) / s
    if row.switches[TWO_SIDED] != 0:
        z = abs(z)
    score = ratio(z, row.stats[CRITICAL])
    return guarded(score, abs(tail - mean), centre + tail, centre + mean, row.switches)
