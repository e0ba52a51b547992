"""The summary pass: moments of a series about a centre near its mean, and its tail.

The absolute mean is never formed: at 1e15 its last bit is 0.125. A value v deviates from the mean by
`(v - centre) - mean_offset`. The newest point is added to the history's moments by the pairwise update of
Chan, Golub and LeVeque (1979), so a spike in it costs the history's moments nothing.
"""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, kernel, never_inline
from ridgeline.kernels.shared.stats import CENTRE, HISTORY_M2, HISTORY_MEAN, M2, MEAN, TAIL


@kernel
def offset_sum(x: np.ndarray, origin: float) -> float:
    """Return the sum of x - origin; x float64[n]."""
    s = 0.0
    for i in range(x.size):
        s += x[i] - origin
    return s


@kernel
def square_sums(x: np.ndarray, origin: float) -> tuple[float, float]:
    """Return the sums of d and of d * d for d = x - origin; x float64[n]."""
    s = 0.0
    q = 0.0
    for i in range(x.size):
        d = x[i] - origin
        s += d
        q += d * d
    return s, q


@exact_kernel
def moments(x: np.ndarray) -> tuple[float, float, float]:
    """Return (centre, mean less centre, M2) of x float64[n], n >= 1: two passes, corrected; a flat x gives 0, 0."""
    never_inline()
    n = x.size
    origin = x[0]
    centre = origin + offset_sum(x, origin) / n
    s, q = square_sums(x, centre)
    mean = s / n
    return centre, mean, max(q - s * mean, 0.0)


@exact_kernel
def tail_offset(x: np.ndarray, centre: float) -> float:
    """Return the mean of the last three values (the last one of fewer than three), less the centre."""
    n = x.size
    if n < 3:
        return x[n - 1] - centre
    return ((x[n - 1] - centre) + (x[n - 2] - centre) + (x[n - 3] - centre)) / 3.0


@exact_kernel
def plain_tail(x: np.ndarray) -> float:
    """Return the mean of the last three values as the reference implementations add them."""
    n = x.size
    if n < 3:
        return x[n - 1]
    return (x[n - 1] + x[n - 2] + x[n - 3]) / 3.0


@exact_kernel
def summarise(x: np.ndarray, stats: np.ndarray) -> None:
    """Fill stats[CENTRE..TAIL] of x float64[n], n >= 1."""
    never_inline()
    n = x.size
    history = n - 1
    if history == 0:
        centre, mean, m2 = x[0], 0.0, 0.0
    else:
        centre, mean, m2 = moments(x[:history])
    step = (x[n - 1] - centre) - mean
    stats[CENTRE] = centre
    stats[HISTORY_MEAN] = mean
    stats[HISTORY_M2] = m2
    stats[MEAN] = mean + step / n
    stats[M2] = m2 + step * step * (history / n)
    stats[TAIL] = tail_offset(x, centre)


@exact_kernel
def spread(m2: float, n: int, ddof: int) -> float:
    """Return the standard deviation from a sum of squares; NaN where n <= ddof."""
    if n <= ddof:
        return np.nan
    return np.sqrt(m2 / (n - ddof))


@exact_kernel
def ratio(deviation: float, limit: float) -> float:
    """Return deviation / limit as a score: infinite above a limit of 0, and 0 where nothing can be compared."""
    if not deviation > 0.0:
        return 0.0
    if limit == 0.0:
        return np.inf
    score = deviation / limit
    # Not max(): a NaN, of a limit that overflowed or has no value, compares with nothing.
    return score if score > 0.0 else 0.0  # noqa: FURB136
