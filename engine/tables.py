"""Numbers that depend on the number of points only, computed once and passed to kernels as arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

ALPHA: Final = 0.05  # grubbs' significance unless overridden
CENTRE_OF_MASS: Final = 50  # stddev_from_moving_average


def grubbs_critical(n: np.ndarray[Any, Any], alpha: float = ALPHA) -> Floats:
    """Grubbs' two-sided critical value at significance alpha for n points (Grubbs 1950); NaN below 3.

    ((n-1)/sqrt(n)) sqrt(c^2 / (n-2+c^2)), c the upper alpha/(2n) point of Student's t with n-2 degrees of freedom.
    """
    from scipy.special import stdtrit

    count = np.asarray(n, dtype=np.float64)
    enough = count >= 3
    count = np.where(enough, count, 3.0)
    squared = stdtrit(count - 2, alpha / (2 * count)) ** 2
    critical = (count - 1) / np.sqrt(count) * np.sqrt(squared / (count - 2 + squared))
    return np.where(enough, critical, np.nan)


def exponential_weights(n: int) -> Floats:
    """Weights (50/51)^k of the point k places from the end, newest last: float64[n].

    Those under 1e-290 are 0: they are far below any value's last bit, and denormal numbers are slow.
    """
    weights = (CENTRE_OF_MASS / (CENTRE_OF_MASS + 1.0)) ** np.arange(n - 1, -1, -1, dtype=np.float64)
    return np.where(weights < 1e-290, 0.0, weights)
