"""One algorithm on one series of pairs, for `ridgeline.algorithms`, and the seeds' helpers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from ridgeline.engine.score.pairs import ODD, TimeSeries, arrays, columns, shown
from ridgeline.io.errors import InputError

__all__ = ["TimeSeries", "determine_array_median", "determine_median", "negatives_present", "tail_avg", "vote", "whole"]

STALE_NEVER: Final = 2**62
LONGEST: Final = 2**40  # seconds: longer than any time, and safe to reckon with


def vote(
    name: str, timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """Vote of the algorithm `name` on pairs of epoch seconds and value, in any order of time.

    `as_of` (epoch seconds) defaults to the newest point; `full_duration` is the window in seconds. Neither length,
    staleness nor boredom is looked at. None where the algorithm failed or no usable point is left. Raises InputError
    for an unknown profile, and for a series, an instant or a window that is none.
    """
    from ridgeline.engine.rules.policy import Policy
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.engine.score.matrix import judge_rows
    from ridgeline.engine.score.plan import ScorePlan, algorithm_names
    from ridgeline.engine.score.rows import OneMetric
    from ridgeline.io.matrix import NO_AS_OF

    plan = ScorePlan(
        profile=replace(profile_named(profile), min_points=1, boring_points=0),
        full_duration=whole("full_duration", full_duration, least=1),
        as_of="last" if as_of is None else whole("as_of", as_of),
        policies=(Policy(consensus=1, algorithms=(name,), stale_period=STALE_NEVER),),
        all_votes=True,
    )
    row = OneMetric.of(name, *arrays(timeseries), NO_AS_OF)
    return judge_rows(row, plan).vote(algorithm_names().index(name), 0)


def tail_avg(timeseries: Iterable[Any]) -> float:
    """Return the mean of the last three values, or the last one of a shorter series.

    None counts as no value: with one among the last three, the last that is a number is the tail. NaN of no values.
    """
    newest = timeseries[-3:] if isinstance(timeseries, Sequence) else timeseries
    values = [value for value in columns(newest)[1][-3:] if not math.isnan(value)]
    if len(values) == 3:
        return sum(reversed(values)) / 3
    return values[-1] if values else math.nan


def determine_array_median(array: Iterable[float | None]) -> float:
    """Return the median of the finite values of an array; NaN of none. Raises InputError for what is no array of numbers."""
    try:
        numbers = [float(value) for value in array if value is not None]
    except ODD as error:
        raise InputError(f"an array of numbers is wanted, not {shown(array)}") from error
    ordered = sorted(value for value in numbers if math.isfinite(value))
    if not ordered:
        return math.nan
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def determine_median(timeseries: TimeSeries) -> float:
    """Return the median of a series' finite values; NaN of none."""
    return determine_array_median(columns(timeseries)[1])


def negatives_present(timeseries: TimeSeries) -> bool:
    """Return whether any value of a series is below zero."""
    return any(value < 0 for value in columns(timeseries)[1])


def whole(name: str, value: object, *, least: int = 0) -> int:
    """A number of seconds, text allowed, as a whole one; InputError, which calls it `name`, for what is none."""
    with contextlib.suppress(*ODD):
        number = int(float(value))  # type: ignore[arg-type]  # whether it is one is the question
        if least <= number <= LONGEST:
            return number
    raise InputError(f"{name} is {shown(value)}: give a number of seconds, at least {least}")
