"""The newest point against the median absolute deviation."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, exact_kernel, never_inline
from ridgeline.kernels.shared.median import median


@exact_kernel
def exact_score(x: np.ndarray, threshold: float, scratch: np.ndarray) -> float:
    """Return |x_n - med| / MAD / threshold; 0 where MAD is 0; above 1 exactly when |x_n - med| / MAD > threshold."""
    n = x.size
    middle = median(x, scratch)
    deviations = scratch[:n]
    for i in range(n):
        deviations[i] = abs(x[i] - middle)
    newest = deviations[n - 1]
    mad = median(deviations, scratch[n:])
    if not mad > 0.0:
        return 0.0
    statistic = newest / mad
    score = statistic / threshold
    if statistic > threshold:
        return score if score > 1.0 else np.nextafter(1.0, 2.0)
    return min(score, 1.0)


@algorithm(min_points=2, threshold=6.0, cost=8, order=6, exact=True)
def median_absolute_deviation(
    t: np.ndarray,  # noqa: ARG001 - every algorithm has the same signature
    x: np.ndarray,
    w: np.ndarray,  # noqa: ARG001
    stats: np.ndarray,  # noqa: ARG001
    threshold: float,
    switches: np.ndarray,  # noqa: ARG001
    as_of: int,  # noqa: ARG001
    scratch: np.ndarray,
) -> float:
    """The newest point is over six median absolute deviations from the median.

    |x_n - med| / MAD > 6, MAD the median of |x_i - med|; MAD 0 compares with nothing.
    """
    never_inline()
    return exact_score(x, threshold, scratch)
