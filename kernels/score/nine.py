"""The nine algorithms by column: the one place that names their kernels (a test holds it equal to the folder)."""

from __future__ import annotations

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.first_hour_average import first_hour_average
from ridgeline.kernels.grubbs import grubbs
from ridgeline.kernels.histogram_bins import histogram_bins
from ridgeline.kernels.ks_test import ks_test
from ridgeline.kernels.least_squares import least_squares
from ridgeline.kernels.mean_subtraction_cumulation import mean_subtraction_cumulation
from ridgeline.kernels.median_absolute_deviation import median_absolute_deviation
from ridgeline.kernels.score.layout import (
    FIRST_HOUR_AVERAGE,
    GRUBBS,
    HISTOGRAM_BINS,
    KS_TEST,
    LEAST_SQUARES,
    MEAN_SUBTRACTION_CUMULATION,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
)
from ridgeline.kernels.shared.row import Row
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
def score_of(column: int, row: Row, threshold: float) -> float:
    """Return the score of one algorithm: above 1 = a True vote, NaN = it failed."""
    always_inline()
    if column == STDDEV_FROM_AVERAGE:
        return _stddev_from_average(row, threshold)
    if column == GRUBBS:
        return _grubbs(row, threshold)
    if column == MEAN_SUBTRACTION_CUMULATION:
        return _mean_subtraction_cumulation(row, threshold)
    if column == KS_TEST:
        return _ks_test(row, threshold)
    if column == HISTOGRAM_BINS:
        return _histogram_bins(row, threshold)
    if column == FIRST_HOUR_AVERAGE:
        return _first_hour_average(row, threshold)
    if column == STDDEV_FROM_MOVING_AVERAGE:
        return _stddev_from_moving_average(row, threshold)
    if column == LEAST_SQUARES:
        return _least_squares(row, threshold)
    return _median_absolute_deviation(row, threshold)
