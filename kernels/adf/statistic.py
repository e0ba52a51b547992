"""The augmented Dickey-Fuller statistic of a sample: a constant, up to ten lags chosen by AIC."""

from __future__ import annotations

import math

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.exact import exact_statistic
from ridgeline.kernels.adf.fast import fast_statistic
from ridgeline.kernels.adf.gram import level_sums
from ridgeline.kernels.adf.layout import MIN_POINTS, SCRATCH_FIXED
from ridgeline.kernels.shared.bounds import bounds
from ridgeline.kernels.shared.scaling import power_of_two


@exact_kernel
def adf_statistic(x: np.ndarray, standardise: int, scratch: np.ndarray) -> float:
    """Student's t of the level in `diff(x) ~ level + lags + constant`; stationary at 5 % when below `CRITICAL`.

    x: float64[n], finite, in time order. scratch: float64[2 n + SCRATCH_FIXED].
    NaN where the test cannot be made: fewer than 24 points, or all of them equal.

    standardise 0: what statsmodels' `adfuller(x, maxlag=10, regression="c", autolag="AIC")` answers, its rank
    decisions on the raw columns included, which depend on the unit of x. Exact fits, whose digits are noise there,
    give -inf (returns to its mean), 0 (neither) or inf.
    standardise 1: the same regression on (x - mean) / sd, so that neither shift nor scale of x matters.

    Source: Dickey and Fuller (1979); Said and Dickey (1984); lag choice and samples as in statsmodels 0.15.
    """
    never_inline()
    n = x.size
    if n < MIN_POINTS:
        return math.nan
    low, high = bounds(x, scratch)
    if not high > low:
        return math.nan
    z = scratch[0:n]
    d = scratch[n : 2 * n]
    work = scratch[2 * n : 2 * n + SCRATCH_FIXED]
    unit = power_of_two(0.5 * high - 0.5 * low, work)
    origin = 0.5 * (low * unit) + 0.5 * (high * unit)
    mean = _centre(x, unit, origin, z, d)
    if standardise != 0:
        _divide(z, d)
        statistic = fast_statistic(z, d, 0.0, 0.0, work)
        return exact_statistic(z, d, 1.0, work) if math.isnan(statistic) else statistic
    statistic = fast_statistic(z, d, origin + mean, unit, work)
    if not math.isnan(statistic):
        return statistic
    one = power_of_two(max(abs(low), abs(high), 1.0), work)
    for i in range(n):
        z[i] = x[i] * one
    for i in range(n - 1):
        d[i] = z[i + 1] - z[i]
    return exact_statistic(z, d, one, work)


@exact_kernel
def _centre(x: np.ndarray, unit: float, origin: float, z: np.ndarray, d: np.ndarray) -> float:
    """Write the scaled levels less their mean, and their differences; return the mean less `origin`."""
    n = x.size
    for i in range(n):
        z[i] = x[i] * unit - origin
    following = x[1:]
    for i in range(n - 1):
        d[i] = following[i] * unit - x[i] * unit
    d[n - 1] = 0.0
    total, _ = level_sums(z)
    mean = total / n
    for i in range(n):
        z[i] -= mean
    return mean


@exact_kernel
def _divide(z: np.ndarray, d: np.ndarray) -> None:
    """Divide the levels and their differences by the standard deviation of the levels."""
    _, squares = level_sums(z)
    factor = 1.0 / math.sqrt(squares / z.size)
    for i in range(z.size):
        z[i] *= factor
    for i in range(d.size):
        d[i] *= factor
