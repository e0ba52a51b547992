"""The summary pass: moments of a series about a centre near its mean, and its tail.

The absolute mean is never formed: at 1e15 its last bit is 0.125. A value v deviates from the mean by
`(v unit - centre) - mean`, unit being 1 but where squares would over- or underflow. The newest point is added to the
history's moments by the pairwise update of Chan, Golub and LeVeque (1979), so a spike in it costs the history's moments
nothing.
"""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, kernel, never_inline
from ridgeline.kernels.shared.scaling import HUGE, TINY, scale, unit_of
from ridgeline.kernels.shared.stats import (
    CENTRE,
    FALLS,
    HISTORY_CENTRE,
    HISTORY_M2,
    HISTORY_MEAN,
    HISTORY_UNIT,
    M2,
    MEAN,
    SIGNED,
    TAIL,
    UNIT,
)
from ridgeline.kernels.shared.survey import survey


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
def moments(x: np.ndarray) -> tuple[float, float, float, int, int]:
    """Return (centre, mean less centre, M2) of x float64[n], n >= 1: two passes, corrected; a flat x gives 0, 0.

    And what the first pass saw beside: signs and falls, as `survey` has them.
    """
    never_inline()
    n = x.size
    origin = x[0]
    total, signs, falls = survey(x, origin)
    centre = origin + total / n
    s, q = square_sums(x, centre)
    mean = s / n
    return centre, mean, max(q - s * mean, 0.0), signs, falls


@exact_kernel
def scaled_moments(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float, float, float]:
    """Return (unit, centre, mean less centre, M2) of x float64[n], n >= 1, times a power of two that suits its range.

    Equal values have no range: their unit is 1. scratch float64[n].
    """
    never_inline()
    unit = unit_of(x, scratch)
    if unit == 0.0:
        return 1.0, x[0], 0.0, 0.0
    z = scratch[: x.size]
    scale(x, unit, z)
    centre, mean, m2, _, _ = moments(z)
    return unit, centre, mean, m2


@exact_kernel
def sound(m2: float, x: np.ndarray, scratch: np.ndarray) -> bool:
    """Return whether a sum of squares neither over- nor underflowed: it is a normal number, or an honest 0."""
    return TINY < m2 < HUGE or (m2 == 0.0 and (x.size == 0 or unit_of(x, scratch) == 0.0))


@exact_kernel
def sound_moments(x: np.ndarray, guarded: int, scratch: np.ndarray) -> tuple[float, float, float, float]:
    """Return (unit, centre, mean less centre, M2) of x, scaled only where guarded and M2 over- or underflowed."""
    centre, mean, m2, _, _ = moments(x)
    if guarded == 0 or TINY < m2 < HUGE:
        return 1.0, centre, mean, m2
    return scaled_moments(x, scratch)


@exact_kernel
def tail_offset(x: np.ndarray, unit: float, centre: float) -> float:
    """Return the mean of the last three values (the last one of fewer than three) times unit, less the centre."""
    n = x.size
    if n < 3:
        return x[n - 1] * unit - centre
    tail = ((x[n - 1] * unit - centre) + (x[n - 2] * unit - centre) + (x[n - 3] * unit - centre)) / 3.0
    if unit != 1.0 and np.isnan(tail):  # infinities of both signs: what they are in is far too fine a unit
        return (x[n - 1] / 3.0 + x[n - 2] / 3.0 + x[n - 3] / 3.0) * unit - centre
    return tail


@exact_kernel
def plain_tail(x: np.ndarray) -> float:
    """Return the mean of the last three values as the reference implementations add them."""
    n = x.size
    if n < 3:
        return x[n - 1]
    return (x[n - 1] + x[n - 2] + x[n - 3]) / 3.0


@exact_kernel
def summarise(x: np.ndarray, guarded: int, stats: np.ndarray, scratch: np.ndarray) -> None:
    """Fill stats[CENTRE..HISTORY_UNIT], SIGNED and FALLS of x float64[n], n >= 1; scratch float64[n], used only where guarded."""
    never_inline()
    n = x.size
    history = n - 1
    if history == 0:
        centre, mean, m2, signs, falls = x[0], 0.0, 0.0, 0, 0
    else:
        centre, mean, m2, signs, falls = moments(x[:history])
    stats[SIGNED] = signs < 0
    stats[FALLS] = falls
    step = (x[n - 1] - centre) - mean
    all_m2 = m2 + step * step * (history / n)
    if guarded != 0 and not (TINY < m2 < HUGE and TINY < all_m2 < HUGE):
        if not (sound(m2, x[:history], scratch) and sound(all_m2, x, scratch)):
            _summarise_scaled(x, stats, scratch)
            return
    stats[CENTRE] = centre
    stats[MEAN] = mean + step / n
    stats[M2] = all_m2
    stats[TAIL] = tail_offset(x, 1.0, centre)
    stats[UNIT] = 1.0
    stats[HISTORY_CENTRE] = centre
    stats[HISTORY_MEAN] = mean
    stats[HISTORY_M2] = m2
    stats[HISTORY_UNIT] = 1.0


@exact_kernel
def _summarise_scaled(x: np.ndarray, stats: np.ndarray, scratch: np.ndarray) -> None:
    """Fill the stats of a series and of its history in a unit of each one's own."""
    never_inline()
    unit, centre, mean, m2 = scaled_moments(x, scratch)
    stats[CENTRE] = centre
    stats[MEAN] = mean
    stats[M2] = m2
    stats[TAIL] = tail_offset(x, unit, centre)
    stats[UNIT] = unit
    if x.size > 1:
        unit, centre, mean, m2 = scaled_moments(x[: x.size - 1], scratch)
    stats[HISTORY_CENTRE] = centre
    stats[HISTORY_MEAN] = mean
    stats[HISTORY_M2] = m2
    stats[HISTORY_UNIT] = unit


@exact_kernel
def change_of(stats: np.ndarray) -> float:
    """Return the tail's mean less the series' mean, in the unit of the values."""
    return (stats[TAIL] - stats[MEAN]) / stats[UNIT]


@exact_kernel
def level_of(stats: np.ndarray) -> float:
    """Return the series' mean, in the unit of the values."""
    return (stats[CENTRE] + stats[MEAN]) / stats[UNIT]


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
