"""The tail against the whole series."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.stats import M2, MEAN, TAIL
from ridgeline.kernels.shared.summary import ratio, spread


@algorithm(min_points=2, threshold=3.0, cost=0, order=2, exact=True)
def stddev_from_average(
    t: np.ndarray,  # noqa: ARG001 - every algorithm has the same signature
    x: np.ndarray,
    w: np.ndarray,  # noqa: ARG001
    stats: np.ndarray,
    threshold: float,
    switches: np.ndarray,  # noqa: ARG001
    as_of: int,  # noqa: ARG001
    scratch: np.ndarray,  # noqa: ARG001
) -> float:
    """The mean of the last three points is over three standard deviations from the series' mean.

    |tail - mean| > 3 s, s with ddof 1. O(1) from the summary.
    """
    never_inline()
    return ratio(abs(stats[TAIL] - stats[MEAN]), threshold * spread(stats[M2], x.size, 1))
