"""Grubbs' test of the tail."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, never_inline
from ridgeline.kernels.shared.stats import CRITICAL, M2, MEAN, TAIL
from ridgeline.kernels.shared.summary import ratio, spread
from ridgeline.kernels.shared.switches import DDOF, TWO_SIDED


@algorithm(min_points=3, threshold=0.05, cost=1, order=3, exact=True)
def grubbs(
    t: np.ndarray,  # noqa: ARG001 - every algorithm has the same signature
    x: np.ndarray,
    w: np.ndarray,  # noqa: ARG001
    stats: np.ndarray,
    threshold: float,  # noqa: ARG001
    switches: np.ndarray,
    as_of: int,  # noqa: ARG001
    scratch: np.ndarray,  # noqa: ARG001
) -> float:
    """The mean of the last three points is an outlier by Grubbs' test (Grubbs 1950).

    z = (tail - mean) / s against ((n-1)/sqrt(n)) sqrt(c^2 / (n-2+c^2)), c the upper threshold/(2n) point of
    Student's t with n-2 degrees of freedom: stats[CRITICAL], by n and threshold. The reference profiles look at
    the high side only. No spread: no vote.
    """
    never_inline()
    s = spread(stats[M2], x.size, switches[DDOF])
    if not s > 0.0:
        return 0.0
    z = (stats[TAIL] - stats[MEAN]) / s
    if switches[TWO_SIDED] != 0:
        z = abs(z)
    return ratio(z, stats[CRITICAL])
