"""The nine algorithms on one row, in cost order, until consensus has become impossible."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.score.layout import (
    ALGORITHMS,
    EARLY_EXIT,
    FAILED,
    FALSE,
    FIRST_HOUR_AVERAGE,
    GRUBBS,
    HISTOGRAM_BINS,
    KS_TEST,
    LEAST_SQUARES,
    MEAN_SUBTRACTION_CUMULATION,
    MEDIAN_ABSOLUTE_DEVIATION,
    NULL,
    SCORES,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
    TRUE,
)
from ridgeline.kernels.score.nine import score_of
from ridgeline.kernels.shared.row import Row
from ridgeline.kernels.shared.stats import CRITICAL, WANT_SCORES
from ridgeline.kernels.shared.summary import summarise
from ridgeline.kernels.shared.switches import GUARDED


@exact_kernel
def judge(column: int, row: Row, thresholds: np.ndarray, mask: int, votes: np.ndarray, scores: np.ndarray) -> int:
    """Write one algorithm's vote and score (NaN: failed), if it is in force; return 1 where it is not True, else 0."""
    always_inline()
    if mask & (1 << column) == 0:
        return 0
    score = score_of(column, row, thresholds[column])
    scores[column] = score
    if score > 1.0:
        votes[column] = TRUE
        return 0
    votes[column] = FALSE if score == score else FAILED  # noqa: PLR0124 - false for NaN only
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
    # From the cheapest on; the first three cost next to nothing once the summary is there. Written out, for a loop's
    # dispatch costs as much as the cheap ones.
    against = judge(STDDEV_FROM_AVERAGE, row, thresholds, mask, votes, scores)
    against += judge(GRUBBS, row, thresholds, mask, votes, scores)
    against += judge(MEAN_SUBTRACTION_CUMULATION, row, thresholds, mask, votes, scores)
    if against > limit:
        return
    against += judge(KS_TEST, row, thresholds, mask, votes, scores)
    if against > limit:
        return
    against += judge(HISTOGRAM_BINS, row, thresholds, mask, votes, scores)
    if against > limit:
        return
    against += judge(FIRST_HOUR_AVERAGE, row, thresholds, mask, votes, scores)
    if against > limit:
        return
    against += judge(STDDEV_FROM_MOVING_AVERAGE, row, thresholds, mask, votes, scores)
    if against > limit:
        return
    against += judge(LEAST_SQUARES, row, thresholds, mask, votes, scores)
    if against > limit:
        return
    judge(MEDIAN_ABSOLUTE_DEVIATION, row, thresholds, mask, votes, scores)


@exact_kernel
def cut_row(cutoffs: np.ndarray, votes: np.ndarray, scores: np.ndarray) -> None:
    """Divide the scores of a row, float64[9], by cutoffs, float64[>= 9], and write the votes uint8[9] that come of it."""
    never_inline()
    for column in range(ALGORITHMS):
        if votes[column] == TRUE or votes[column] == FALSE:
            scores[column] /= cutoffs[column]
            votes[column] = TRUE if scores[column] > 1.0 else FALSE
