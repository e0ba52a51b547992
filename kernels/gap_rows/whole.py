"""A series that was read in full, into its row."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.gap_rows.layout import (
    EDGE,
    FEW,
    FIRST,
    HELD,
    LONGEST,
    NEWEST,
    NOTHING,
    POINTS,
    SHORTEST,
    STATE,
    STEADY,
    TOTAL,
    UNEVEN,
    UNKNOWN,
)
from ridgeline.kernels.gap_rows.row import least_allowed
from ridgeline.kernels.gap_rows.tail import add_step
from ridgeline.kernels.gaps.layout import FEWEST
from ridgeline.kernels.shared.mode import usual_step
from ridgeline.kernels.shared.search import after, from_time

MANY: Final = 8  # one step in so many is another: they may soon be more than the usual ones


@exact_kernel
def take_steps(w: np.ndarray, t: np.ndarray, scratch: np.ndarray) -> None:
    """Write what the steps of t int64[n >= 2], ascending, tell to the row w; its NEWEST is their last again afterwards."""
    step, alike = usual_step(t, scratch)
    if step == 0:
        return  # all at one instant
    shortest = step
    longest = step
    for i in range(1, t.size):
        shortest = min(shortest, t[i] - t[i - 1])
        longest = max(longest, t[i] - t[i - 1])
    others = t.size - 1 - alike
    even = shortest > 0 and longest <= least_allowed(shortest, longest)
    if alike > others and not (even and MANY * others > alike):
        w[STATE] = STEADY
        w[SHORTEST] = step
    elif even:
        w[STATE] = UNEVEN
        w[SHORTEST] = shortest
        w[LONGEST] = longest
    else:
        return
    w[NEWEST] = t[0]
    for i in range(1, t.size):
        add_step(w, t[i])


@exact_kernel
def take_whole(w: np.ndarray, t: np.ndarray, as_of: int, period: int, window: int, scratch: np.ndarray) -> None:
    """Write the row w int64[GAP_WORDS] anew by all points t int64[n] that are stored, ascending.

    period: seconds in which gaps are looked for; window: those that are judged; scratch as `kernels.gaps` has it.
    """
    w[:] = 0
    known = t[: after(t, as_of)]
    if known.size == 0:
        return
    newest = known[known.size - 1]
    w[NEWEST] = newest
    w[STATE] = UNKNOWN
    w[TOTAL] = t.size
    w[FIRST] = known[0]
    w[HELD] = as_of - known[0]
    w[POINTS] = known.size if known[0] > newest - window else -1
    recent = known[from_time(known, as_of - period) :]
    if t.size < FEWEST:
        w[STATE] = FEW
    elif recent.size < 2:
        w[STATE] = NOTHING
    else:
        w[EDGE] = recent[0]
        take_steps(w, recent, scratch)
        w[NEWEST] = newest
