"""Each algorithm, and the helpers of Skyline's own module, on one series of pairs.

    from ridgeline.algorithms import grubbs

    grubbs([(1700000000, 12.5), (1700000060, 13.0), ...])       # True, False or None

The nine take `(timeseries, *, profile="native", as_of=None, full_duration=86400)` and vote:

timeseries      pairs of epoch seconds and value, None for a gap
profile         "native", "earthgecko", "earthgecko_batch" or "etsy"
as_of           judge as of this instant, epoch seconds; default: the newest point
full_duration   the window, seconds

They return True (anomalous), False, or None where the algorithm failed or no usable point is left. Neither length,
staleness nor boredom is looked at: `ridgeline.score` does that. The tail is the mean of the newest three values. The
vote is that of `ridgeline.score`, computed by the same kernel; formulas and sources stand in docs/algorithms.md and in
`ridgeline.kernels`. Raises `ridgeline.InputError` for a series that is none.
"""

from __future__ import annotations

from ridgeline.engine.score.series import (
    TimeSeries,
    determine_array_median,
    determine_median,
    negatives_present,
    tail_avg,
    vote,
)

__all__ = [
    "determine_array_median",
    "determine_median",
    "first_hour_average",
    "grubbs",
    "histogram_bins",
    "ks_test",
    "least_squares",
    "mean_subtraction_cumulation",
    "median_absolute_deviation",
    "negatives_present",
    "stddev_from_average",
    "stddev_from_moving_average",
    "tail_avg",
]


def histogram_bins(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The tail falls in a nearly empty bin: of 15 equal bins over the window, its own holds at most 20 points."""
    return vote("histogram_bins", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def first_hour_average(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The tail is over three standard deviations from the mean of the window's first hour."""
    return vote("first_hour_average", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def stddev_from_average(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The tail is over three standard deviations from the mean of the window."""
    return vote("stddev_from_average", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def grubbs(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The tail is an outlier by Grubbs' test at 5 % (Grubbs 1950)."""
    return vote("grubbs", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def ks_test(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The newest ten minutes are distributed otherwise than the 50 before them, which were stationary.

    Two-sample Kolmogorov-Smirnov distance over 0.5, and augmented Dickey-Fuller p < 0.05; needs 20 points in both.
    """
    return vote("ks_test", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def mean_subtraction_cumulation(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The newest value is over three standard deviations from the mean of all before it."""
    return vote("mean_subtraction_cumulation", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def median_absolute_deviation(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The newest value is over six median absolute deviations from the median."""
    return vote("median_absolute_deviation", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def stddev_from_moving_average(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The newest value is over three exponentially weighted deviations from the moving average."""
    return vote("stddev_from_moving_average", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)


def least_squares(
    timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """The mean of the newest three residuals of a straight line is over three times the residuals' deviation."""
    return vote("least_squares", timeseries, profile=profile, as_of=as_of, full_duration=full_duration)
