"""New points of a series into its row."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.gap_rows.layout import (
    FEW,
    LONGEST,
    NEWEST,
    NOTHING,
    OPENED,
    OTHERS,
    SHORTEST,
    STATE,
    STEADY,
    TOTAL,
    UNEVEN,
    UNKNOWN,
)
from ridgeline.kernels.gap_rows.row import keep_gap, least_allowed
from ridgeline.kernels.gaps.layout import FEWEST
from ridgeline.kernels.gaps.walk import longest_allowed


@exact_kernel
def add_steady(w: np.ndarray, t: int) -> None:
    """Add a point to a row whose usual step is known, in the way of `gaps.walk`.

    A second long step within one gap is not followed: with the first one gone from the period, the gap is another.
    """
    apart = t - w[NEWEST]
    allowed = longest_allowed(w[SHORTEST])
    if apart > allowed:
        if w[OPENED] != 0:
            w[STATE] = UNKNOWN
        w[OPENED] = w[NEWEST] + 1
        return
    if apart != w[SHORTEST]:
        w[OTHERS] += 1
        w[LONGEST] += apart
    if apart < allowed and w[OPENED] != 0:
        if not keep_gap(w, w[OPENED], w[NEWEST] - 1):
            w[STATE] = UNKNOWN
        w[OPENED] = 0


@exact_kernel
def add_step(w: np.ndarray, t: int) -> None:
    """Add a point that is not earlier than all others to the steps of the row w int64[GAP_WORDS]."""
    if w[STATE] == STEADY:
        add_steady(w, t)
    elif w[STATE] == UNEVEN:
        w[SHORTEST] = min(w[SHORTEST], t - w[NEWEST])
        w[LONGEST] = max(w[LONGEST], t - w[NEWEST])
        if w[LONGEST] > least_allowed(w[SHORTEST], w[LONGEST]):
            w[STATE] = UNKNOWN
    w[NEWEST] = t


@exact_kernel
def add_point(w: np.ndarray, t: int) -> None:
    """Add a new point, later than all others."""
    w[TOTAL] += 1
    if w[STATE] == NOTHING or (w[STATE] == FEW and w[TOTAL] >= FEWEST):
        w[STATE] = UNKNOWN
    add_step(w, t)
