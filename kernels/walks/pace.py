"""What kind of series it is: its usual step, and whether it is a counter."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import (
    COUNTER,
    FALLS,
    LAST,
    PACE,
    PACE_VOTES,
    PAIRS,
    POINTS,
    RISES,
    START,
    WATERMARK,
)
from ridgeline.kernels.walks.numbers import read

VOTES: Final = 64.0
MANY_PAIRS: Final = 8192.0  # then all counts are halved
FALLS_OF_A_COUNTER, RISES_OF_A_COUNTER = 0.003, 0.5  # shares of the pairs: less, more
FALLS_OF_NONE, RISES_OF_NONE = 0.01, 0.25  # more, less: a counter is one no longer


@exact_kernel
def step(wide: np.ndarray, narrow: np.ndarray, t: int, x: float) -> bool:
    """Take in the step from the point before; return whether the series has just become, or ceased to be, a counter.

    The usual step is the one that outvotes the others, within an eighth of it (the majority vote of Boyer and Moore). A
    counter falls in less than .3 % of its steps and rises in more than half of them, after the first START; between these
    and the looser bounds it stays what it was.
    """
    always_inline()
    apart = t - wide[WATERMARK]
    pace, votes = read(narrow, PACE), read(narrow, PACE_VOTES)
    if votes == 0.0:
        pace, votes = apart, 1.0
    elif abs(apart - pace) * 8.0 <= pace:
        votes = min(votes + 1.0, VOTES)
    else:
        votes -= 1.0
    narrow[PACE], narrow[PACE_VOTES] = pace, votes

    pairs, rises, falls = read(narrow, PAIRS) + 1.0, read(narrow, RISES), read(narrow, FALLS)
    if x > wide[LAST]:
        rises += 1.0
    elif x < wide[LAST]:
        falls += 1.0
    if pairs >= MANY_PAIRS:
        pairs, rises, falls = pairs / 2.0, rises / 2.0, falls / 2.0
    narrow[PAIRS], narrow[RISES], narrow[FALLS] = pairs, rises, falls
    if narrow[POINTS] + 1 < START:
        return False
    before = narrow[COUNTER] != 0.0
    if before:
        now = not (falls > FALLS_OF_NONE * pairs or rises < RISES_OF_NONE * pairs)
    else:
        now = falls < FALLS_OF_A_COUNTER * pairs and rises > RISES_OF_A_COUNTER * pairs
    narrow[COUNTER] = 1.0 if now else 0.0
    return now != before


@exact_kernel
def rise_a_minute(apart: float, before: float, x: float) -> float:
    """Return by how much a counter rose from `before` to x, `apart` seconds later, a minute; after a reset from 0."""
    always_inline()
    return (x - before if x >= before else x) * 60.0 / apart
