"""The nine algorithms on one row, in cost order.

This is the one place that names them; `tests/test_registry.py` holds it equal to the folder.
"""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.first_hour_average import first_hour_average
from ridgeline.kernels.grubbs import grubbs
from ridgeline.kernels.histogram_bins import histogram_bins
from ridgeline.kernels.ks_test import ks_test
from ridgeline.kernels.least_squares import least_squares
from ridgeline.kernels.mean_subtraction_cumulation import mean_subtraction_cumulation
from ridgeline.kernels.median_absolute_deviation import median_absolute_deviation
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
from ridgeline.kernels.shared.stats import CRITICAL, WANT_SCORES
from ridgeline.kernels.shared.summary import summarise
from ridgeline.kernels.stddev_from_average import stddev_from_average
from ridgeline.kernels.stddev_from_moving_average import stddev_from_moving_average

_histogram_bins = histogram_bins.kernel
_first_hour_average = first_hour_average.kernel
_stddev_from_average = stddev_from_average.kernel
_grubbs = grubbs.kernel
_ks_test = ks_test.kernel
_mean_subtraction_cumulation = mean_subtraction_cumulation.kernel
_median_absolute_deviation = median_absolute_deviation.kernel
_stddev_from_moving_average = stddev_from_moving_average.kernel
_least_squares = least_squares.kernel


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
    t: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    critical: float,
    mask: int,
    slack: int,
    thresholds: np.ndarray,
    switches: np.ndarray,
    as_of: int,
    mode: int,
    votes: np.ndarray,
    scores: np.ndarray,
    stats: np.ndarray,
    scratch: np.ndarray,
) -> None:
    """Score one considered series, n >= 1; fill votes uint8[9] and scores float64[9]; return nothing.

    t int64[n], x float64[n], w float64[n]: the series and the exponential weights of its length
    critical float64: grubbs' critical value for n points
    mask int64: bit k set = the algorithm of column k is in force
    slack int64: number of votes other than True after which consensus is impossible
    thresholds float64[9]; switches int64[SWITCHES]; as_of int64
    mode int64: EARLY_EXIT, ALL_VOTES or SCORES. Without SCORES a score is only on the right side of 1.
    stats float64[STATS]: filled by the summary pass
    scratch float64[>= SCRATCH_PER_POINT * n + SCRATCH_FIXED]
    """
    never_inline()
    votes[:] = NULL
    summarise(x, stats)
    stats[CRITICAL] = critical
    stats[WANT_SCORES] = 1.0 if mode == SCORES else 0.0
    limit = slack if mode == EARLY_EXIT else ALGORITHMS
    against = 0
    if mask & (1 << STDDEV_FROM_AVERAGE):
        k = STDDEV_FROM_AVERAGE
        against += settle(
            k, _stddev_from_average(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores
        )
    if mask & (1 << GRUBBS):
        k = GRUBBS
        against += settle(k, _grubbs(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores)
    if mask & (1 << MEAN_SUBTRACTION_CUMULATION):
        k = MEAN_SUBTRACTION_CUMULATION
        against += settle(
            k, _mean_subtraction_cumulation(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores
        )
    if against > limit:
        return
    if mask & (1 << KS_TEST):
        k = KS_TEST
        against += settle(k, _ks_test(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores)
    if against > limit:
        return
    if mask & (1 << HISTOGRAM_BINS):
        k = HISTOGRAM_BINS
        against += settle(k, _histogram_bins(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores)
    if against > limit:
        return
    if mask & (1 << FIRST_HOUR_AVERAGE):
        k = FIRST_HOUR_AVERAGE
        against += settle(
            k, _first_hour_average(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores
        )
    if against > limit:
        return
    if mask & (1 << STDDEV_FROM_MOVING_AVERAGE):
        k = STDDEV_FROM_MOVING_AVERAGE
        against += settle(
            k, _stddev_from_moving_average(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores
        )
    if against > limit:
        return
    if mask & (1 << LEAST_SQUARES):
        k = LEAST_SQUARES
        against += settle(k, _least_squares(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores)
    if against > limit:
        return
    if mask & (1 << MEDIAN_ABSOLUTE_DEVIATION):
        k = MEDIAN_ABSOLUTE_DEVIATION
        settle(k, _median_absolute_deviation(t, x, w, stats, thresholds[k], switches, as_of, scratch), votes, scores)
