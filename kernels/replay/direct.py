"""Steps that the moving sums leave in doubt, computed again by the algorithms' own kernels on the window itself."""

from __future__ import annotations

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.first_hour_average import first_hour_average
from ridgeline.kernels.grubbs import grubbs
from ridgeline.kernels.histogram_bins import histogram_bins
from ridgeline.kernels.least_squares import least_squares
from ridgeline.kernels.mean_subtraction_cumulation import mean_subtraction_cumulation
from ridgeline.kernels.median_absolute_deviation import median_absolute_deviation
from ridgeline.kernels.score.layout import (
    ALGORITHMS,
    FIRST_HOUR_AVERAGE,
    GRUBBS,
    HISTOGRAM_BINS,
    LEAST_SQUARES,
    MEAN_SUBTRACTION_CUMULATION,
    MEDIAN_ABSOLUTE_DEVIATION,
    STDDEV_FROM_AVERAGE,
    STDDEV_FROM_MOVING_AVERAGE,
)
from ridgeline.kernels.shared.search import daily_gap
from ridgeline.kernels.shared.stats import CRITICAL, STATS, WANT_SCORES
from ridgeline.kernels.shared.summary import summarise
from ridgeline.kernels.stddev_from_average import stddev_from_average
from ridgeline.kernels.stddev_from_moving_average import stddev_from_moving_average

_histogram_bins = histogram_bins.kernel
_first_hour_average = first_hour_average.kernel
_stddev_from_average = stddev_from_average.kernel
_grubbs = grubbs.kernel
_mean_subtraction_cumulation = mean_subtraction_cumulation.kernel
_median_absolute_deviation = median_absolute_deviation.kernel
_stddev_from_moving_average = stddev_from_moving_average.kernel
_least_squares = least_squares.kernel


@exact_kernel
def settle_doubts(t, x, begin, end, live, first, weights, critical, mask, thresholds, switches, table, doubt, scratch):
    """Overwrite table[a, j] for every live step begin + j and every algorithm in force whose bit is set in doubt[j].

    critical float64[m + 1]: grubbs' critical values by number of points. scratch float64[STATS + what kernels need].
    """
    never_inline()
    stats = scratch[:STATS]
    rest = scratch[STATS:]
    for j in range(end - begin):
        bits = doubt[j] & mask
        if live[j] == 0 or bits == 0:
            continue
        zt = t[first[j] : begin + j + 1]
        zx = x[first[j] : begin + j + 1]
        n = zx.size
        w = weights[weights.size - n :]
        now = zt[n - 1]
        summarise(zx, stats)
        stats[CRITICAL] = critical[n]
        stats[WANT_SCORES] = 1.0
        for k in range(ALGORITHMS):
            if not bits & (1 << k):
                continue
            limit = thresholds[k]
            score = table[k, j]
            if k == STDDEV_FROM_AVERAGE:
                score = _stddev_from_average(zt, zx, w, stats, limit, switches, now, rest)
            elif k == GRUBBS:
                score = _grubbs(zt, zx, w, stats, limit, switches, now, rest)
            elif k == MEAN_SUBTRACTION_CUMULATION:
                score = _mean_subtraction_cumulation(zt, zx, w, stats, limit, switches, now, rest)
            elif k == HISTOGRAM_BINS:
                score = _histogram_bins(zt, zx, w, stats, limit, switches, now, rest)
            elif k == FIRST_HOUR_AVERAGE:
                score = _first_hour_average(zt, zx, w, stats, limit, switches, now, rest)
            elif k == STDDEV_FROM_MOVING_AVERAGE:
                score = _stddev_from_moving_average(zt, zx, w, stats, limit, switches, now, rest)
            elif k == LEAST_SQUARES:
                score = _least_squares(zt, zx, w, stats, limit, switches, now, rest)
            elif k == MEDIAN_ABSOLUTE_DEVIATION:
                score = _median_absolute_deviation(zt, zx, w, stats, limit, switches, now, rest)
            table[k, j] = score


@exact_kernel
def doubt_daily(t, begin, end, first, live, doubt):
    """Leave the first hour of exactly-daily steps to its own kernel."""
    never_inline()
    for j in range(end - begin):
        if live[j] != 0 and daily_gap(t[first[j] : begin + j + 1]) > 0:
            doubt[j] |= 1 << FIRST_HOUR_AVERAGE
