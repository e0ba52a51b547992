"""Tail probability P: how rarely a score that has no unit was as high as now.

Formula: 1,024 equal bins over S in [0, 3], the newest S among them, all counts halved every 5,000 steps. u: the least edge
of a bin above which at most 2 % lie. Above u p = share (s >= u) exp(-(S - u) / e), e being the mean excess of these over u, at
least half a bin; below it p = share (s >= S). P = -log10 p / max(.7, log10(steps in 30 days / 40)): above 1 is rarer than
40 steps a month, at any resolution. -1 before 150 steps. Source: exceedances over a threshold (Pickands, Annals of
Statistics 3, 1975), exponential.

Bins lie in groups of 32, each with its count and its sum, so that a step looks at 32 groups and 32 bins.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.walks.layout import TAIL_BINS, TAIL_GROUP, TAIL_GROUPS

HIGHEST: Final = 3.0
WIDTH: Final = HIGHEST / TAIL_BINS
HALVED: Final = 5000.0  # steps after which all counts are halved
FIRST: Final = 150.0
RARE: Final = 0.02
LOG10_E: Final = 0.4342944819032518
MONTH: Final = 2_592_000.0
A_MONTH: Final = 40.0  # steps
LEAST: Final = 0.7
# Places in the state float64[TAIL_STATE]: counts of bins, then of groups; sums of groups; steps known, steps since halved.
COUNTS, GROUP_COUNTS = 0, TAIL_BINS
GROUP_SUMS: Final = GROUP_COUNTS + TAIL_GROUPS
KNOWN: Final = GROUP_SUMS + TAIL_GROUPS
SINCE: Final = KNOWN + 1


@exact_kernel
def step(state: np.ndarray, score: float, pace: float) -> float:
    """Return P of a score, 0 to 3, and learn from it. pace: the usual step, seconds."""
    always_inline()
    place = np.int64(min(score / WIDTH, TAIL_BINS - 1.0))
    group = place // TAIL_GROUP
    state[COUNTS + place] += 1.0
    state[GROUP_COUNTS + group] += 1.0
    state[GROUP_SUMS + group] += score
    state[KNOWN] += 1.0
    state[SINCE] += 1.0
    if state[SINCE] >= HALVED:
        _halve(state)
    if state[KNOWN] < FIRST:
        return -1.0
    return _rarity(state, score, place) / max(LEAST, np.log10(MONTH / pace / A_MONTH))


@exact_kernel
def _halve(state: np.ndarray) -> None:
    """Let everything that is known weigh half as much against what comes."""
    never_inline()
    for i in range(KNOWN + 1):
        state[i] *= 0.5
    state[SINCE] = 0.0


@exact_kernel
def _rarity(state: np.ndarray, score: float, place: int) -> float:
    """Return -log10 p of a score that is among those known, in the bin `place`."""
    always_inline()
    limit = RARE * state[KNOWN]
    group, above, total = TAIL_GROUPS - 1, 0.0, 0.0
    while group > 0 and above + state[GROUP_COUNTS + group] <= limit:
        above += state[GROUP_COUNTS + group]
        total += state[GROUP_SUMS + group]
        group -= 1
    lower = (group + 1) * TAIL_GROUP
    while lower > group * TAIL_GROUP and above + state[COUNTS + lower - 1] <= limit:
        lower -= 1
        above += state[COUNTS + lower]
        total += state[COUNTS + lower] * (lower + 0.5) * WIDTH
    if place >= lower:
        excess = max(total / above - lower * WIDTH, WIDTH / 2.0)
        return (score - lower * WIDTH) / excess * LOG10_E - np.log10(above / state[KNOWN])
    group, above = place // TAIL_GROUP, 0.0
    for i in range(GROUP_COUNTS + group + 1, GROUP_COUNTS + TAIL_GROUPS):
        above += state[i]
    for i in range(COUNTS + place, COUNTS + (group + 1) * TAIL_GROUP):
        above += state[i]
    return -np.log10(above / state[KNOWN])
