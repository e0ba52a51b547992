"""The nine algorithms on one row, in cost order, until consensus has become impossible."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.score.layout import ALGORITHMS, EARLY_EXIT, FAILED, FALSE, NULL, SCORES, TRUE
from ridgeline.kernels.score.nine import COST_ORDER, FREE, score_of
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.stats import CRITICAL, WANT_SCORES
from ridgeline.kernels.shared.summary import summarise
from ridgeline.kernels.shared.switches import GUARDED


@exact_kernel
def settle(place: int, score: float, votes: np.ndarray, scores: np.ndarray) -> int:
    """Write one algorithm's vote and score (NaN: failed); return 1 where it is not True, else 0."""
    scores[place] = score
    if score > 1.0:
        votes[place] = TRUE
        return 0
    votes[place] = FALSE if score == score else FAILED  # noqa: PLR0124 - false for NaN only
    return 1


@exact_kernel
def score_row(
    row: Row,
    critical: float,
    thresholds: np.ndarray,
    mask: int,
    slack: int,
    mode: int,
    votes: np.ndarray,
    scores: np.ndarray,
) -> None:
    """Score one considered series; fill its stats, votes uint8[9] and scores float64[9].

    critical float64: grubbs' critical value for its number of points
    thresholds float64[9]
    mask int64: bit k set = the algorithm of column k is in force
    slack int64: number of votes other than True after which consensus is impossible
    mode int64: EARLY_EXIT, ALL_VOTES or SCORES. Without SCORES a score is only on the right side of 1.
    """
    never_inline()
    votes[:] = NULL
    summarise(row.x, row.switches[GUARDED], row.stats, row.scratch)
    row.stats[CRITICAL] = critical
    row.stats[WANT_SCORES] = 1.0 if mode == SCORES else 0.0
    limit = slack if mode == EARLY_EXIT else ALGORITHMS
    against = 0
    for place in range(ALGORITHMS):
        if against > limit and place >= FREE:
            return
        k = COST_ORDER[place]
        if mask & (1 << k):
            against += settle(k, score_of(k, row, thresholds[k]), votes, scores)
