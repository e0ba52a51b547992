"""Skyline's algorithms, by its names and its arithmetic (profile `earthgecko`), on one series.

    from ridgeline.skyline.algorithms import run_selected_algorithm

    anomalous, ensemble, datapoint, negatives_found, algorithms_run = run_selected_algorithm(
        timeseries, "metrics.stats.web01.requests", [], [], False, False, {}
    )

timeseries   [(epoch seconds, value), ...]; points without a finite value count for nothing, what follows a value in an
             item is ignored, and the points may come in any order

The nine return True (anomalous), False, or None where the algorithm failed or no usable point is left. Consensus, windows,
stale periods and overrides are those of the configuration: the file that `RIDGELINE_CONFIG` names, else `ridgeline.toml` in
the working directory, else the defaults, which need no Redis. What is no series raises `ridgeline.InputError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ridgeline.engine.api.airgaps import identify, look_and_tell
from ridgeline.engine.api.ensemble import judge_series, vote_of
from ridgeline.engine.api.second_order import asks_for_second_order, trigger
from ridgeline.engine.score.failures import get_function_name, record_algorithm_error
from ridgeline.engine.score.series import (
    TimeSeries,
    determine_array_median,
    determine_median,
    negatives_present,
    tail_avg,
)
from ridgeline.io.state.interface import StateError
from ridgeline.skyline._results import Results, refuse, results_of
from ridgeline.skyline._worker import say
from ridgeline.skyline.algorithm_exceptions import Boring, EmptyTimeseries, Stale, TooShort

__all__ = [
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
    "identify_airgaps",
    "is_anomalously_anomalous",
    "ks_test",
    "least_squares",
    "mean_subtraction_cumulation",
    "median_absolute_deviation",
    "negatives_present",
    "record_algorithm_error",
    "run_selected_algorithm",
    "stddev_from_average",
    "stddev_from_moving_average",
    "tail_avg",
]

PROFILE: Final = "earthgecko"


def median_absolute_deviation(timeseries: TimeSeries) -> bool | None:
    """The newest value is over six median absolute deviations from the median."""
    return vote_of("median_absolute_deviation", timeseries, PROFILE)


def grubbs(timeseries: TimeSeries) -> bool | None:
    """The tail is above the mean by more than Grubbs' two-sided critical value at 5 % (Grubbs 1950)."""
    return vote_of("grubbs", timeseries, PROFILE)


def first_hour_average(timeseries: TimeSeries) -> bool | None:
    """The tail is over three standard deviations from the mean of the window's first hour."""
    return vote_of("first_hour_average", timeseries, PROFILE)


def stddev_from_average(timeseries: TimeSeries) -> bool | None:
    """The tail is over three standard deviations from the mean of the series."""
    return vote_of("stddev_from_average", timeseries, PROFILE)


def stddev_from_moving_average(timeseries: TimeSeries) -> bool | None:
    """The newest value is over three exponentially weighted deviations from the moving average."""
    return vote_of("stddev_from_moving_average", timeseries, PROFILE)


def mean_subtraction_cumulation(timeseries: TimeSeries) -> bool | None:
    """The newest value is over three standard deviations from the mean of all before it."""
    return vote_of("mean_subtraction_cumulation", timeseries, PROFILE)


def least_squares(timeseries: TimeSeries) -> bool | None:
    """The mean of the newest three residuals of a straight line is over three times the residuals' deviation."""
    return vote_of("least_squares", timeseries, PROFILE)


def histogram_bins(timeseries: TimeSeries) -> bool | None:
    """The tail falls in a bin of at most 20 points, of 15 equal bins over the series."""
    return vote_of("histogram_bins", timeseries, PROFILE)


def ks_test(timeseries: TimeSeries) -> bool | None:
    """The ten minutes up to now are distributed otherwise than the 50 before them, which were stationary.

    Two-sample Kolmogorov-Smirnov distance over 0.5, and augmented Dickey-Fuller p < 0.05; needs 20 points in both.
    """
    return vote_of("ks_test", timeseries, PROFILE)


def identify_airgaps(
    metric_name: str,
    timeseries: TimeSeries,
    airgapped_metrics: Sequence[Any],
    airgapped_metrics_filled: Sequence[Any],
) -> tuple[list[list[Any]], bool]:
    """The new closed airgaps of a series, [name, usual step, first second, last second, 0] each; whether it is unordered.

    Gaps of the last `[airgaps] max_period` that are in neither of the two lists, whose items are such lists or their
    texts. Unordered is a series whose points do not come in order of time. Nothing is written.
    """
    found, unordered = identify(metric_name, timeseries, airgapped_metrics, airgapped_metrics_filled)
    return [[*one, 0] for one in found], unordered


def is_anomalously_anomalous(metric_name: str, ensemble: Sequence[bool | None], datapoint: float) -> bool:
    """Whether a metric that has triggered now does so out of its rhythm; remembers that it has.

    The first trigger is. After that the time since the one before must differ from the mean of all intervals by more than
    three of their standard deviations, which takes a dozen triggers; the same datapoint within five minutes never does. The
    newest 30 triggers are remembered, for a week, where `ridgeline run` keeps its state, without a configuration in the
    user's state folder; where that cannot be asked, the metric counts as out of its rhythm, which is told on standard
    error. `ensemble` does not matter, in Skyline neither.
    """
    try:
        return trigger(metric_name, datapoint)
    except StateError as error:
        say(error)
        return True


def run_selected_algorithm(
    timeseries: TimeSeries,
    metric_name: str,
    airgapped_metrics: Sequence[Any],
    airgapped_metrics_filled: Sequence[Any],
    run_negatives_present: bool,
    check_for_airgaps_only: bool,
    custom_stale_metrics_dict: Mapping[str, Any],
) -> Results:
    """Whether the newest point is anomalous; the votes; its value; whether negatives were found; the algorithms.

    metric_name                 with or without the namespace: overrides are matched against the name
    airgapped_metrics           airgaps that are known, and that are filled, as for `identify_airgaps`: where `[airgaps]`
                                asks for it and books are kept in Redis, new ones are added to Skyline's sets there
    run_negatives_present       whether negative values are looked for
    check_for_airgaps_only      look for airgaps, and return (False, [], 1.0, False, [])
    custom_stale_metrics_dict   stale periods in seconds by metric, before the configured ones

    Raises EmptyTimeseries or TooShort, Stale, Boring, in this order. Anomalous means that as many votes are True as the
    consensus asks for; with `[analysis] second_order`, also that the metric is anomalously so. (Skyline counts votes that are False instead, so that algorithms that fail vote True there.)
    Every algorithm votes: none is passed over because consensus has become impossible.
    """
    verdict = judge_series(timeseries, metric_name, PROFILE, custom_stale_metrics_dict)
    refuse(verdict, metric_name)
    try:
        look_and_tell(metric_name, timeseries, airgapped_metrics, airgapped_metrics_filled)
    except StateError as error:
        say(error)
    if check_for_airgaps_only:
        return False, [], 1.0, False, []
    results = results_of(verdict, negatives=bool(run_negatives_present))
    if verdict.anomalous and asks_for_second_order():
        return is_anomalously_anomalous(metric_name, verdict.votes, verdict.datapoint), *results[1:]
    return results
