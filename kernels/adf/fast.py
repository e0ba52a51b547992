"""The statistic by normal equations: one pass over the data, two small Cholesky factors, or a refusal."""

from __future__ import annotations

import math

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.exponential import exp_small
from ridgeline.kernels.adf.gram import SIZE, TARGET, extend, gram
from ridgeline.kernels.adf.layout import MAX_LAG

# A pivot or residual this much smaller than what it started from has lost nine digits: left to the exact path.
SINGULAR = 1e-9
# Bound on the squared condition number beyond which statsmodels' own rank decisions might begin to matter.
WORST_CONDITION = 1e26


@exact_kernel
def fast_statistic(z: np.ndarray, d: np.ndarray, mean: float, unit: float, work: np.ndarray) -> float:
    """ADF statistic, or NaN where the case is too close to singular to be answered here.

    z: float64[n], levels, scaled by `unit` (a power of two) and less `mean` (of the scaled levels).
    d: float64[n], their differences and a zero. work: float64[336].
    `unit` 0 says that the unit is of no consequence: the condition of the raw columns is not looked at.
    """
    never_inline()
    m = z.size - 11
    g = work[0:144]
    factor = work[144:288]
    sums = work[288:300]
    diagonal = work[300:312]
    gram(z, d, g, sums, work[312:336])
    for j in range(SIZE):
        diagonal[j] = g[j * SIZE + j]
        for k in range(j + 1):
            factor[j * SIZE + k] = g[j * SIZE + k] - sums[j] * sums[k] / m
    if not _cholesky(factor, diagonal, TARGET):
        return math.nan
    lag = _best_lag(factor[TARGET * SIZE : SIZE * SIZE], SINGULAR * diagonal[TARGET], m)
    if lag < 0 or (unit != 0.0 and not _well_conditioned(z, d, mean, unit, g, sums, factor)):
        return math.nan
    return _refit(z, d, lag, work)


@exact_kernel
def _cholesky(a: np.ndarray, diagonal: np.ndarray, size: int) -> bool:
    """Factor `size` columns of a lower triangle (12 to a row) and of the one row below it, in place.

    The last row's own diagonal stays as it is. False when a pivot is small against its value in `diagonal`.
    """
    never_inline()
    for k in range(size):
        pivot = a[k * SIZE + k]
        for i in range(k):
            pivot -= a[k * SIZE + i] * a[k * SIZE + i]
        if not pivot > SINGULAR * diagonal[k]:
            return False
        root = math.sqrt(pivot)
        a[k * SIZE + k] = root
        inverse = 1.0 / root
        for j in range(k + 1, size + 1):
            v = a[j * SIZE + k]
            for i in range(k):
                v -= a[j * SIZE + i] * a[k * SIZE + i]
            a[j * SIZE + k] = v * inverse
    return True


@exact_kernel
def _best_lag(row: np.ndarray, floor: float, m: int) -> int:
    """Lag with the smallest AIC from the factor's last row, or -1 when a residual is not above `floor`.

    AIC is m ln(ssr / m) + 2 (lag + 2); ssr exp(2 lag / m) has the same order.
    """
    ratio = exp_small(2.0 / m)
    weight = 1.0
    ssr = row[TARGET]
    best = math.inf
    lag = -1
    for j in range(MAX_LAG + 1):
        ssr -= row[j] * row[j]
        if not ssr > floor:
            return -1
        if ssr * weight < best:
            best = ssr * weight
            lag = j
        weight *= ratio
    return lag


@exact_kernel
def _well_conditioned(
    z: np.ndarray, d: np.ndarray, mean: float, unit: float, g: np.ndarray, sums: np.ndarray, factor: np.ndarray
) -> bool:
    """Whether the raw columns, ones included, are far from any rank decision, for every lag and the refit.

    trace(X'X) trace((X'X)^-1) bounds the squared condition number of X and of all its leading columns. The inverse is
    taken by blocks: the centred factor's inverse `v` column by column, and what the un-centred sums add to the ones.
    """
    n = z.size
    m = n - 11
    squares = g[0] + z[n - 1] * z[n - 1]
    steps = g[TARGET * SIZE + TARGET]
    for i in range(MAX_LAG):
        squares += z[i] * z[i]
        steps += d[i] * d[i]
    trace = squares + n * mean * mean + n * unit * unit + MAX_LAG * steps
    inverse_trace = 1.0 / (m * unit * unit)
    # Column j of the inverse overwrites nothing: it is built in the factor's unused upper triangle, row j.
    for j in range(TARGET):
        factor_jj = factor[j * SIZE + j]
        total = 1.0 / (factor_jj * factor_jj)
        for i in range(j + 1, TARGET):
            v = factor[i * SIZE + j] / factor_jj
            for k in range(j + 1, i):
                v += factor[i * SIZE + k] * factor[j * SIZE + k]
            v = -v / factor[i * SIZE + i]
            factor[j * SIZE + i] = v
            total += v * v
        inverse_trace += total
    for i in range(TARGET):
        w = (sums[0] + m * mean if i == 0 else sums[i]) / factor[i * SIZE + i]
        for k in range(i):
            w += factor[k * SIZE + i] * (sums[0] + m * mean if k == 0 else sums[k])
        w /= m * unit
        inverse_trace += w * w
    return trace * inverse_trace < WORST_CONDITION


@exact_kernel
def _refit(z: np.ndarray, d: np.ndarray, lag: int, work: np.ndarray) -> float:
    """Student's t of the level in the regression with `lag` lags on all the rows that it has, or NaN."""
    g = work[0:144]
    a = work[144:288]
    sums = work[288:300]
    diagonal = work[300:312]
    extend(z, d, lag, g, sums)
    rows = z.size - 1 - lag
    # Order: lags, level, target. The level comes last, so that its t is a ratio of two entries of the last row.
    for j in range(lag + 2):
        p = j + 1 if j < lag else (0 if j == lag else TARGET)
        diagonal[j] = g[p * SIZE + p]
        for k in range(j + 1):
            q = k + 1 if k < lag else (0 if k == lag else TARGET)
            a[j * SIZE + k] = g[max(p, q) * SIZE + min(p, q)] - sums[p] * sums[q] / rows
    if not _cholesky(a, diagonal, lag + 1):
        return math.nan
    last = a[(lag + 1) * SIZE : (lag + 2) * SIZE]
    ssr = last[lag + 1]
    for j in range(lag + 1):
        ssr -= last[j] * last[j]
    if not ssr > SINGULAR * diagonal[lag + 1]:
        return math.nan
    return last[lag] / math.sqrt(ssr / (rows - lag - 2))
