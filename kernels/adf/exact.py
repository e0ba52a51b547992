"""The statistic with every rank decision that statsmodels takes: QR of all columns, SVD where it matters."""

from __future__ import annotations

import math

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.adf.exponential import exp_small
from ridgeline.kernels.adf.layout import BLOCK, COLUMNS, MAX_LAG, SCRATCH_FIXED, SQUARE
from ridgeline.kernels.adf.qr import absorb
from ridgeline.kernels.adf.triangle import SAFE_CONDITION, invert_column, solve_singular, squares

# Residual this small against the target: an exact fit, whose digits are noise.
EXACT_FIT = 1e-20
# AIC differences below this are ties, and the smaller model wins.
AIC_TIE = 1e-8
# Slope against spread from which an exact fit counts as a return to the mean.
EXACT_SLOPE = 1e-9


@exact_kernel
def exact_statistic(z: np.ndarray, d: np.ndarray, one: float, work: np.ndarray) -> float:
    """ADF statistic of levels `z` whose column of ones is scaled to `one`.

    z: float64[n], levels; d: float64[n], their differences and a zero; both in one power-of-two unit.
    work: float64[SCRATCH_FIXED].
    Returns -inf for an exact fit that returns to its mean, +inf for one that leaves it, 0 for one that does neither,
    NaN where the level's variance is zero.
    """
    never_inline()
    r = work[0:SQUARE]
    spare = work[SQUARE:SCRATCH_FIXED]
    ones = one if not _has_constant(z, d, MAX_LAG, MAX_LAG) else 0.0
    _factor(z, d, MAX_LAG, MAX_LAG, ones, 1, r, spare[0 : BLOCK * COLUMNS])
    lag = _best_lag(r, 1 if ones == 0.0 else 2, z.size - 1 - MAX_LAG, spare)
    ones = one if not _has_constant(z, d, lag, lag) else 0.0
    _factor(z, d, lag, lag, ones, 0, r, spare[0 : BLOCK * COLUMNS])
    return _student(z, lag, lag + (1 if ones == 0.0 else 2), r, spare)


@exact_kernel
def _has_constant(z: np.ndarray, d: np.ndarray, lags: int, start: int) -> bool:
    """Whether a column other than the ones is constant and not zero: then statsmodels adds no ones."""
    n = z.size
    for j in range(lags + 1):
        first = z[start] if j == 0 else d[start - j]
        if first == 0.0:
            continue
        same = True
        for i in range(start, n - 1):
            if (z[i] if j == 0 else d[i - j]) != first:
                same = False
                break
        if same:
            return True
    return False


@exact_kernel
def _factor(
    z: np.ndarray,
    d: np.ndarray,
    lags: int,
    start: int,
    one: float,
    ones_first: int,
    r: np.ndarray,
    block: np.ndarray,
) -> None:
    """Triangle of [ones, level, lags, target]; `ones_first` 0: [level, lags, ones, target]; no ones where `one` is 0."""
    never_inline()
    n = z.size
    level = 1 if one != 0.0 and ones_first != 0 else 0
    ones = 0 if ones_first != 0 else lags + 1
    target = lags + 1 if one == 0.0 else lags + 2
    r[:] = 0.0
    for top in range(start, n - 1, BLOCK):
        rows = min(BLOCK, n - 1 - top)
        block[:] = 0.0
        for i in range(rows):
            if one != 0.0:
                block[ones * BLOCK + i] = one
            block[level * BLOCK + i] = z[top + i]
            for j in range(1, lags + 1):
                block[(level + j) * BLOCK + i] = d[top + i - j]
            block[target * BLOCK + i] = d[top + i]
        absorb(r, block, target + 1)


@exact_kernel
def _best_lag(r: np.ndarray, k_least: int, rows: int, spare: np.ndarray) -> int:
    """Lag with the smallest (AIC, lag), AIC = rows ln(ssr / rows) + 2 rank, over the nested models in `r`."""
    target = k_least + MAX_LAG
    floor = EXACT_FIT * squares(r, target, target, 0)
    inverse = spare[0:SQUARE]
    size = 0.0
    inverse_size = 0.0
    lag = 0
    best = 0.0
    best_rank = 0
    for k in range(1, target + 1):
        size += squares(r, k - 1, k - 1, 0)
        inverse_size += invert_column(r, k - 1, inverse)
        if k < k_least:
            continue
        rank = k
        ssr = squares(r, target, target, k)
        if not size * inverse_size < SAFE_CONDITION * SAFE_CONDITION:
            rank, inside = solve_singular(r, k, target, spare)
            ssr += inside
        if ssr <= floor:
            return k - k_least
        if k == k_least or ssr < best * exp_small((2.0 * (best_rank - rank) - AIC_TIE) / rows):
            best = ssr
            best_rank = rank
            lag = k - k_least
    return lag


@exact_kernel
def _student(z: np.ndarray, lag: int, k: int, r: np.ndarray, spare: np.ndarray) -> float:
    """Student's t of column 0 of k columns, the target being column k."""
    inverse = spare[0:SQUARE]
    size = 0.0
    inverse_size = 0.0
    for j in range(k):
        size += squares(r, j, j, 0)
        inverse_size += invert_column(r, j, inverse)
    rank = k
    ssr = squares(r, k, k, k)
    slope = 0.0
    variance = 0.0
    if size * inverse_size < SAFE_CONDITION * SAFE_CONDITION:
        for j in range(k):
            slope += inverse[j * COLUMNS] * r[j * COLUMNS + k]
            variance += inverse[j * COLUMNS] * inverse[j * COLUMNS]
    else:
        rank, inside = solve_singular(r, k, k, spare)
        ssr += inside
        v = spare[2 * SQUARE : 3 * SQUARE]
        s = spare[3 * SQUARE : 3 * SQUARE + COLUMNS]
        slope = spare[3 * SQUARE + COLUMNS]
        for j in range(k):
            if s[j] > 0.0:
                variance += v[j * COLUMNS] * v[j * COLUMNS] / (s[j] * s[j])
    target = squares(r, k, k, 0)
    if ssr <= EXACT_FIT * target:
        return _exact_fit(slope, z[lag : z.size - 1], target)
    return slope / math.sqrt(variance * ssr / (z.size - 1 - lag - rank))


@exact_kernel
def _exact_fit(slope: float, level: np.ndarray, target: float) -> float:
    """Minus infinity where the level returns to its mean, infinity where it runs away, else 0."""
    if target == 0.0:
        return 0.0
    mean = 0.0
    for i in range(level.size):
        mean += level[i]
    mean /= level.size
    spread = 0.0
    for i in range(level.size):
        spread += (level[i] - mean) * (level[i] - mean)
    strength = slope * math.sqrt(spread / target)
    if strength < -EXACT_SLOPE:
        return -math.inf
    return math.inf if strength > EXACT_SLOPE else 0.0
