"""One algorithm on one series of pairs, for `ridgeline.algorithms`, and the seeds' helpers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TimeSeries = Sequence[tuple[float, float | None]]
STALE_NEVER = 2**62
_ODD = (TypeError, ValueError, LookupError, OverflowError)  # what comes of an item that is no pair of numbers


def vote(
    name: str, timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """Vote of the algorithm `name` on pairs of epoch seconds and value, in any order of time.

    `as_of` (epoch seconds) defaults to the newest point; `full_duration` is the window in seconds. Neither length,
    staleness nor boredom is looked at. None where the algorithm failed or no usable point is left. Raises InputError
    for an unknown profile, and for a series that is none.
    """
    from ridgeline.engine.rules.policy import Policy
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.engine.score.matrix import judge_rows
    from ridgeline.engine.score.plan import ScorePlan, algorithm_names
    from ridgeline.engine.score.rows import OneRow
    from ridgeline.io.matrix import NO_AS_OF

    plan = ScorePlan(
        profile=replace(profile_named(profile), min_points=1, boring_points=0),
        full_duration=full_duration,
        as_of="last" if as_of is None else as_of,
        policies=(Policy(consensus=1, algorithms=(name,), stale_period=STALE_NEVER),),
        all_votes=True,
    )
    row = OneRow.of(name, *arrays(timeseries), NO_AS_OF)
    return judge_rows(row, plan).vote(algorithm_names().index(name), 0)


def arrays(timeseries: TimeSeries) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """As `columns`, in arrays, the timestamps int64 where they are whole: quick where no value is None."""
    import numpy as np

    try:
        count = len(timeseries)
        timestamps = np.fromiter(map(itemgetter(0), timeseries), np.float64, count)
        values = np.fromiter(map(itemgetter(1), timeseries), np.float64, count)
        doubtful = bool(np.isnan(timestamps).any())  # numpy takes None for NaN
    except _ODD:
        doubtful = True
    if doubtful:
        timestamps, values = (np.array(column, np.float64) for column in columns(timeseries))
    with np.errstate(invalid="ignore"):
        whole = timestamps.astype(np.int64)
    return (whole if np.array_equal(whole, timestamps) else timestamps), values


def columns(timeseries: Iterable[Any]) -> tuple[list[float], list[float]]:
    """The timestamps and the values of a series of pairs, None as NaN; what follows in an item is ignored.

    Raises InputError naming the item that is none.
    """
    from ridgeline.io.errors import InputError

    timestamps: list[float] = []
    numbers: list[float] = []
    try:
        items = enumerate(timeseries)
    except TypeError:
        raise InputError(f"{timeseries!r} is no series: a list of (epoch seconds, value) is wanted") from None
    for at, item in items:
        try:
            timestamp, value = item[0], item[1]
            timestamps.append(float(timestamp))
            numbers.append(math.nan if value is None else float(value))
        except _ODD as error:
            raise InputError(
                f"item {at} of the series is {item!r}: a pair of epoch seconds and value is wanted"
            ) from error
    return timestamps, numbers


def tail_avg(timeseries: Iterable[Any]) -> float:
    """Return the mean of the last three values, or the last one of a shorter series.

    None counts as no value: with one among the last three, the last that is a number is the tail. NaN of no values.
    """
    newest = timeseries[-3:] if isinstance(timeseries, Sequence) else timeseries
    values = [value for value in columns(newest)[1][-3:] if not math.isnan(value)]
    if len(values) == 3:
        return sum(reversed(values)) / 3
    return values[-1] if values else math.nan


def determine_array_median(array: Iterable[float]) -> float:
    """Return the median of the finite values of an array; NaN of none."""
    ordered = sorted(value for value in map(float, array) if math.isfinite(value))
    if not ordered:
        return math.nan
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def determine_median(timeseries: TimeSeries) -> float:
    """Return the median of a series' finite values; NaN of none."""
    return determine_array_median(columns(timeseries)[1])


def negatives_present(timeseries: TimeSeries) -> bool:
    """Return whether any value of a series is below zero."""
    return any(value < 0 for value in columns(timeseries)[1])
