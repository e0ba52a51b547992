"""Skyline's algorithms for batch analysis, by its names and its arithmetic (profile `earthgecko_batch`), on one series.

    from ridgeline.skyline.algorithms_batch import run_selected_batch_algorithm

    anomalous, ensemble, datapoint, negatives_found, algorithms_run = run_selected_batch_algorithm(
        timeseries, "metrics.stats.hourly.orders", False
    )

`use_full_duration` is the window in seconds: where the first hour lies. All else is as in `ridgeline.skyline.algorithms`,
but windows end at the newest point, never at the clock, and series with one point a day have windows of their own.
"""

from __future__ import annotations

import sys
from typing import Final

from ridgeline.engine.api.ensemble import judge_series, vote_of
from ridgeline.engine.score import series
from ridgeline.engine.score.failures import get_function_name, record_algorithm_error
from ridgeline.engine.score.series import TimeSeries, determine_array_median
from ridgeline.io.text import escape
from ridgeline.skyline._results import Results, refuse, results_of
from ridgeline.skyline.algorithm_exceptions import Boring, EmptyTimeseries, Stale, TooShort

__all__ = [
    "LOCAL_DEBUG",
    "Boring",
    "EmptyTimeseries",
    "Stale",
    "TooShort",
    "determine_array_median",
    "determine_median",
    "first_hour_average",
    "get_function_name",
    "grubbs",
    "histogram_bins",
    "ks_test",
    "least_squares",
    "mean_subtraction_cumulation",
    "median_absolute_deviation",
    "negatives_present",
    "record_algorithm_error",
    "run_selected_batch_algorithm",
    "stddev_from_average",
    "stddev_from_moving_average",
    "tail_avg",
]

LOCAL_DEBUG = False  # True: tell each verdict on standard error
PROFILE: Final = "earthgecko_batch"


def tail_avg(timeseries: TimeSeries, use_full_duration: int) -> float:
    """Mean of the last three values, or the last one of a shorter series; the window does not matter."""
    return series.tail_avg(timeseries)


def determine_median(timeseries: TimeSeries, use_full_duration: int) -> float:
    """Median of a series' finite values; the window does not matter."""
    return series.determine_median(timeseries)


def negatives_present(timeseries: TimeSeries, use_full_duration: int) -> bool:
    """Whether a value is below 0; the window does not matter."""
    return series.negatives_present(timeseries)


def median_absolute_deviation(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The newest value is over six median absolute deviations from the median."""
    return vote_of("median_absolute_deviation", timeseries, PROFILE, use_full_duration)


def grubbs(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The tail is above the mean by more than Grubbs' two-sided critical value at 5 % (Grubbs 1950)."""
    return vote_of("grubbs", timeseries, PROFILE, use_full_duration)


def first_hour_average(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The tail is over three standard deviations from the mean of the window's first hour."""
    return vote_of("first_hour_average", timeseries, PROFILE, use_full_duration)


def stddev_from_average(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The tail is over three standard deviations from the mean of the series."""
    return vote_of("stddev_from_average", timeseries, PROFILE, use_full_duration)


def stddev_from_moving_average(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The newest value is over three exponentially weighted deviations from the moving average."""
    return vote_of("stddev_from_moving_average", timeseries, PROFILE, use_full_duration)


def mean_subtraction_cumulation(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The newest value is over three standard deviations from the mean of all before it."""
    return vote_of("mean_subtraction_cumulation", timeseries, PROFILE, use_full_duration)


def least_squares(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The mean of the newest three residuals of a straight line is over three times the residuals' deviation."""
    return vote_of("least_squares", timeseries, PROFILE, use_full_duration)


def histogram_bins(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The tail falls in a bin of at most 20 points, of 15 equal bins over the series."""
    return vote_of("histogram_bins", timeseries, PROFILE, use_full_duration)


def ks_test(timeseries: TimeSeries, use_full_duration: int) -> bool | None:
    """The newest ten minutes are distributed otherwise than the 50 before them, which were stationary.

    Two-sample Kolmogorov-Smirnov distance over 0.5, and augmented Dickey-Fuller p < 0.05; needs 20 points in both.
    """
    return vote_of("ks_test", timeseries, PROFILE, use_full_duration)


def run_selected_batch_algorithm(
    timeseries: TimeSeries,
    metric_name: str,
    run_negatives_present: bool,
) -> Results:
    """As `run_selected_algorithm`; stale is what has had no point for a day, whatever is configured."""
    verdict = judge_series(timeseries, metric_name, PROFILE, own_stale_period=True)
    refuse(verdict, metric_name)
    if LOCAL_DEBUG:
        said = "anomalous" if verdict.anomalous else "not anomalous"
        sys.stderr.write(f"ridgeline: {escape(metric_name)} is {said}: {verdict.votes.count(True)} votes\n")
    return results_of(verdict, negatives=bool(run_negatives_present))
