"""The newest residuals of a straight line."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import algorithm, exact_kernel, kernel, never_inline
from ridgeline.kernels.shared.noise import noise_of
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.scaling import scale
from ridgeline.kernels.shared.stats import CENTRE, M2, MEAN, TAIL, UNIT
from ridgeline.kernels.shared.summary import ratio, spread
from ridgeline.kernels.shared.switches import DDOF, GUARDED, ROUND_GATE

NOISE_OF_FIT = 1e-9  # a residual below this share of the series' spread is what rounding leaves of a line


@exact_kernel
def seconds(t: int, origin: int) -> float:
    """Return t - origin, which fits 32 bits: AVX2 turns those into doubles, but not 64 bits."""
    return float(np.int32(t - origin))


@kernel
def time_sums(t: np.ndarray, x: np.ndarray, origin: int, centre: float) -> tuple[float, float, float]:
    """Return the sums of u, u u and u d for u = t - origin (seconds) and d = x - centre."""
    su = 0.0
    suu = 0.0
    sud = 0.0
    for i in range(x.size):
        u = seconds(t[i], origin)
        su += u
        suu += u * u
        sud += u * (x[i] - centre)
    return su, suu, sud


@kernel
def residual_squares(t: np.ndarray, x: np.ndarray, origin: int, centre: float, slope: float, level: float) -> float:
    """Return the sum of squared residuals about level + slope (t - origin)."""
    s = 0.0
    for i in range(x.size):
        e = (x[i] - centre) - (level + slope * seconds(t[i], origin))
        s += e * e
    return s


@exact_kernel
def residuals(t: np.ndarray, x: np.ndarray, stats: np.ndarray) -> tuple[float, float]:
    """Return (mean of the last three residuals, sum of squared residuals) of the least squares line through (t, x).

    Time is counted from the middle of the window: raw epoch seconds would cost ten digits. Where the line leaves almost
    nothing of M2 the squares are summed again from the residuals themselves. One timestamp only: the line is flat.
    """
    n = x.size
    origin = (t[0] + t[n - 1]) >> 1
    su, suu, sud = time_sums(t, x, origin, stats[CENTRE])
    u = su / n
    suu -= su * u
    sud -= su * stats[MEAN]
    slope = sud / suu if suu > 0.0 else 0.0
    squares = stats[M2] - slope * sud
    if not squares > 1e-5 * stats[M2]:
        squares = residual_squares(t, x, origin, stats[CENTRE], slope, stats[MEAN] - slope * u)
    newest = (seconds(t[n - 1], origin) + seconds(t[n - 2], origin) + seconds(t[n - 3], origin)) / 3.0
    return (stats[TAIL] - stats[MEAN]) - slope * (newest - u), squares


@algorithm(min_points=3, threshold=3.0, cost=7, order=8, exact=True)
def least_squares(row: Row, threshold: float) -> float:
    """The last three points lie over three standard deviations off the fitted straight line.

    |r| > 3 s, r the mean of the last three residuals, s the residuals' standard deviation. The reference profiles
    add round(s) != 0 and round(r) != 0, half to even; native asks that r be more than rounding leaves of a line.
    """
    never_inline()
    if row.x.size < 3:
        return 0.0
    n = row.x.size
    x = row.x
    if row.stats[UNIT] != 1.0:
        x = row.scratch[:n]
        scale(row.x, row.stats[UNIT], x)
    residual, squares = residuals(row.t, x, row.stats)
    r = abs(residual)
    s = spread(squares, n, row.switches[DDOF])
    score = ratio(r, threshold * s)
    if row.switches[ROUND_GATE] != 0:
        score = min(score, 2.0 * s, 2.0 * r)
    if row.switches[GUARDED] == 0:
        return score
    tail = row.stats[CENTRE] + row.stats[TAIL]
    noise = max(NOISE_OF_FIT * np.sqrt(row.stats[M2] / n), noise_of(tail, tail - residual))
    # Rounding over rounding is any number, so what is no more than noise is weighed against that.
    return min(score, ratio(r, noise)) if r <= noise else score
