"""Which votes are surely False: what sums can tell of the nine algorithms, with room for all rounding.

Each bound is that of the algorithm's own file, with a margin; True votes are never claimed. Every comparison is false
for NaN, and what overflowed is not used.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.ks_test import MIN_SAMPLE
from ridgeline.kernels.memory.layout import (
    BEFORE,
    CHANGES,
    COUNT,
    EARLIER,
    EW_ERROR,
    EW_SQUARES,
    EW_SUM,
    ORIGIN,
    PEAK,
    SPAN,
    SQUARES,
    SUM,
    VALUE,
)
from ridgeline.kernels.score.layout import (
    CONSENSUS_SLACK,
    CRITICAL_ROW,
    GRUBBS,
    KS_TEST,
    MASK,
    MEAN_SUBTRACTION_CUMULATION,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
)
from ridgeline.kernels.shared.scaling import HUGE, TINY
from ridgeline.kernels.shared.summary import spread
from ridgeline.kernels.shared.switches import DDOF, HISTORY_DDOF, PROBE

# Rounding in the sums stays below 1e-11 of the history's M2 while CHANGES times PEAK is at most this many times M2.
DRIFT: Final = 3e4
# Rounding in the weighted sums stays below 1e-8 of the weighted M2 while EW_ERROR is at most this many times that.
EW_DRIFT: Final = 1e6
MARGIN: Final = 1e-9  # of a limit
EW_MARGIN: Final = 1e-7
SHARE: Final = 0.1  # of a margin, in standard deviations: more than the mean is off by, whatever the threshold


@exact_kernel
def below(deviation: float, threshold: float, s: float, margin: float) -> bool:
    """Return whether a deviation is surely no more than threshold s."""
    return deviation < s * (threshold * (1.0 - margin) - SHARE * margin)


@exact_kernel
def surely_false(w: np.ndarray, f: np.ndarray, p: int, switches: np.ndarray, rules: Any) -> int:
    """Return how many algorithms of policy p surely vote False on the row w int64[HOT_WORDS], f its float64 view; more than its slack are enough.

    M2 of the history is SQUARES - SUM SUM / m; the newest point joins it as in `shared.summary`.
    """
    n = w[COUNT]
    mask = rules.policies[p, MASK]
    limits = rules.thresholds[p]
    found = 0
    if mask & (1 << KS_TEST) != 0 and (n < 2 * MIN_SAMPLE or w[SPAN] > switches[PROBE]):
        found += 1  # fewer than 20 points in its newest sample
    if n < 3:
        return found
    newest = f[VALUE] - f[ORIGIN]
    history = n - 1
    mean = f[SUM] / history
    m2 = f[SQUARES] - f[SUM] * mean
    step = newest - mean
    all_m2 = m2 + step * step * (history / n)
    if m2 > TINY and all_m2 < HUGE and w[CHANGES] * f[PEAK] <= DRIFT * m2:
        if mask & (1 << MEAN_SUBTRACTION_CUMULATION) != 0:
            s = spread(m2, history, switches[HISTORY_DDOF])
            found += below(abs(step), limits[MEAN_SUBTRACTION_CUMULATION], s, MARGIN)
        tail = (newest + (f[BEFORE] - f[ORIGIN]) + (f[EARLIER] - f[ORIGIN])) / 3.0
        deviation = abs(tail - (mean + step / n))
        if mask & (1 << STDDEV_FROM_AVERAGE) != 0:
            found += below(deviation, limits[STDDEV_FROM_AVERAGE], spread(all_m2, n, 1), MARGIN)
        if mask & (1 << GRUBBS) != 0:
            critical = rules.critical[rules.policies[p, CRITICAL_ROW], n]
            found += below(deviation, critical, spread(all_m2, n, switches[DDOF]), MARGIN)
    if found <= rules.policies[p, CONSENSUS_SLACK] and mask & (1 << STDDEV_FROM_MOVING_AVERAGE) != 0:
        mean = f[EW_SUM] / rules.totals[n]
        m2 = f[EW_SQUARES] - f[EW_SUM] * mean
        if m2 > TINY and f[EW_SQUARES] < HUGE and f[EW_ERROR] <= EW_DRIFT * m2:
            s = np.sqrt(m2 * rules.scales[n])
            found += below(abs(newest - mean), limits[STDDEV_FROM_MOVING_AVERAGE], s, EW_MARGIN)
    return found
