"""Tail probability P: how rarely a score that has no unit was as high as now.

Formula: 1,024 equal bins over S in [0, 3], the newest S among them, all counts halved every 5,000 steps. u: the least edge
of a bin above which at most 2 % lie. Above u p = share (s >= u) exp(-(S - u) / e), e being the mean excess of these over u, at
least half a bin; below it p = share (s >= S). P = -log10 p / max(.7, log10(steps in 30 days / 40)): above 1 is rarer than
40 steps a month, at any resolution. -1 before 150 steps. Source: exceedances over a threshold (Pickands, Annals of
Statistics 3, 1975), exponential.

Bins lie in groups of 32. What is kept of a bin is how much lies in it and in those above it in its group, and the same of
groups: a score adds to at most 32 of either, in one go, and what lies above it is a sum of two.
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
# Places in the state float64[TAIL_STATE]: of bins, what lies from each to the end of its group; of groups, and of none behind
# the last, what lies from each on; sums of groups; steps known, steps since halved.
BINS, GROUPS = 0, TAIL_BINS
SUMS: Final = GROUPS + TAIL_GROUPS + 1
KNOWN: Final = SUMS + TAIL_GROUPS
SINCE: Final = KNOWN + 1


@exact_kernel
def rarest(pace: float) -> float:
    """Return what -log10 p is of a score that is rare enough, with steps of `pace` seconds."""
    always_inline()
    return max(LEAST, np.log10(MONTH / pace / A_MONTH))


@exact_kernel
def step(state: np.ndarray, score: float, rare: float) -> float:
    """Return P of a score, 0 to 3, and learn from it. rare: `rarest` of the usual step."""
    always_inline()
    place = np.int64(min(score / WIDTH, TAIL_BINS - 1.0))
    group = place // TAIL_GROUP
    known = state[KNOWN] + 1.0
    limit = RARE * known
    tail = -1  # the group where the tail begins
    for i in range(TAIL_GROUPS):
        more = state[GROUPS + i] + (1.0 if i <= group else 0.0)
        state[GROUPS + i] = more
        tail += more > limit
    first = BINS + group * TAIL_GROUP
    for i in range(TAIL_GROUP):
        state[first + i] += 1.0 if i <= place - group * TAIL_GROUP else 0.0
    state[SUMS + group] += score
    state[KNOWN] = known
    state[SINCE] += 1.0
    if state[SINCE] >= HALVED:
        _halve(state)
    if state[KNOWN] < FIRST:
        return -1.0
    return _rarity(state, score, place, tail) / rare


@exact_kernel
def _halve(state: np.ndarray) -> None:
    """Let everything that is known weigh half as much against what comes."""
    never_inline()
    for i in range(KNOWN + 1):
        state[i] *= 0.5
    state[SINCE] = 0.0


@exact_kernel
def _rarity(state: np.ndarray, score: float, place: int, tail: int) -> float:
    """Return -log10 p of a score that is among those known, in the bin `place`; the tail begins in the group `tail`."""
    always_inline()
    group = place // TAIL_GROUP
    if group >= tail:
        limit = RARE * state[KNOWN] - state[GROUPS + tail + 1]
        lower = tail * TAIL_GROUP
        for i in range(tail * TAIL_GROUP, (tail + 1) * TAIL_GROUP):
            lower += state[BINS + i] > limit
        if place >= lower:
            return _excess(state, score, tail, lower)
    return -np.log10((state[GROUPS + group + 1] + state[BINS + place]) / state[KNOWN])


@exact_kernel
def _excess(state: np.ndarray, score: float, group: int, lower: int) -> float:
    """Return -log10 p of a score beyond the lower edge of a bin of the group, or of the one after it, by the mean excess there."""
    never_inline()
    above, total = state[GROUPS + group + 1], 0.0
    for i in range(TAIL_GROUPS - 1, group, -1):
        total += state[SUMS + i]
    more = 0.0
    for i in range((group + 1) * TAIL_GROUP - 1, lower - 1, -1):
        total += (state[BINS + i] - more) * (i + 0.5) * WIDTH
        more = state[BINS + i]
    above += more
    excess = max(total / above - lower * WIDTH, WIDTH / 2.0)
    return (score - lower * WIDTH) / excess * LOG10_E - np.log10(above / state[KNOWN])
