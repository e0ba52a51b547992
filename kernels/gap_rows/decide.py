"""What a row tells of the gaps of its series as of an instant: just what `kernels.gaps` would, or that it cannot tell."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.gap_rows.layout import (
    CLOSED,
    EDGE,
    FEW,
    FIRST,
    GAPS,
    HELD,
    LONGEST,
    NEWEST,
    NOTHING,
    OPEN,
    OPENED,
    OTHERS,
    POINTS,
    READ,
    ROOM,
    SHORTEST,
    STATE,
    STEADY,
    STEP,
    UNKNOWN,
)
from ridgeline.kernels.gap_rows.row import end_of, first_of, forget_gaps, least_allowed, most_allowed
from ridgeline.kernels.gaps.layout import FEWEST
from ridgeline.kernels.gaps.walk import longest_allowed


@exact_kernel
def is_held(w: np.ndarray, as_of: int, period: int, points: int, fresh: int) -> bool:
    """Return whether the key holds all that it ever held of the period.

    Trimmers cut by the clock: what a key held back from it, it still holds. A younger key does where its window, which held
    all there was, has so many points as it had and `fresh` ones.
    """
    if w[HELD] >= period:
        return True
    if w[POINTS] < 0 or points != w[POINTS] + fresh:
        w[POINTS] = -1
        return False
    w[POINTS] = points
    w[HELD] = as_of - w[FIRST]
    return True


@exact_kernel
def is_usual(w: np.ndarray, edge: int) -> bool:
    """Return whether the step of a STEADY row is surely still that of most steps between points from `edge` on."""
    first = max(w[EDGE], edge + longest_allowed(w[SHORTEST]))  # the first point is not later
    others = w[OTHERS]
    long = 0
    for i in range(GAPS, GAPS + ROOM):
        if w[i] != 0 and first_of(w[i]) <= edge:
            first = max(first, end_of(w[i]) + 1)
        elif w[i] != 0:
            others += 1
            long += end_of(w[i]) - first_of(w[i]) + 2
    if w[OPENED] != 0 and w[OPENED] <= edge:
        return False
    if w[OPENED] != 0:
        others += 1
        long += w[NEWEST] - w[OPENED] + 1
    usual = w[NEWEST] - first - long - w[LONGEST]  # at least so many seconds are of usual steps
    return usual > others * w[SHORTEST]


@exact_kernel
def tell_steady(w: np.ndarray, edge: int, as_of: int, fact: np.ndarray) -> None:
    """Write the facts of a row whose usual step is known."""
    if not is_usual(w, edge):
        fact[STEP] = READ
        return
    fact[STEP] = w[SHORTEST]
    for i in range(GAPS, GAPS + ROOM):
        fact[CLOSED] += w[i] != 0 and first_of(w[i]) > edge
    fact[OPEN] = w[OPENED] != 0 or as_of - w[NEWEST] > longest_allowed(w[SHORTEST])


@exact_kernel
def tell_uneven(w: np.ndarray, edge: int, as_of: int, fact: np.ndarray) -> None:
    """Write the facts of a row in which there is no gap, whichever step is the usual one."""
    silent = as_of - w[NEWEST]
    fact[STEP] = w[SHORTEST]
    if silent > most_allowed(w[SHORTEST], w[LONGEST]):
        fact[OPEN] = 1
    elif silent > least_allowed(w[SHORTEST], w[LONGEST]):
        fact[STEP] = READ
    if w[NEWEST] - w[LONGEST] < max(edge, w[EDGE]):
        fact[STEP] = READ  # the period may hold one point alone


@exact_kernel
def decide(w: np.ndarray, as_of: int, period: int, points: int, fresh: int, fact: np.ndarray) -> None:
    """Write the facts, int64[FACTS], all 0 so far, of a row w int64[GAP_WORDS] that `fresh` points were added to.

    points: those of the window that is judged now.
    """
    edge = as_of - period
    forget_gaps(w, edge)
    held = is_held(w, as_of, period, points, fresh)
    if w[STATE] == FEW or w[STATE] == NOTHING:
        return
    if w[STATE] != UNKNOWN and w[NEWEST] < edge:
        w[STATE] = NOTHING
        return
    if w[STATE] == UNKNOWN or not held or points < FEWEST:
        fact[STEP] = READ
    elif w[STATE] == STEADY:
        tell_steady(w, edge, as_of, fact)
    else:
        tell_uneven(w, edge, as_of, fact)
