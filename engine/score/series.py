"""One algorithm on one series of pairs, for `ridgeline.algorithms`, and the seeds' helpers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

TimeSeries = Sequence[tuple[float, float | None]]
STALE_NEVER = 2**62


def vote(
    name: str, timeseries: TimeSeries, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    """Vote of the algorithm `name` on pairs of epoch seconds and value, in any order of time.

    `as_of` (epoch seconds) defaults to the newest point; `full_duration` is the window in seconds. Neither length,
    staleness nor boredom is looked at. None where the algorithm failed or no usable point is left. Raises InputError
    for an unknown profile, and for a series that is none.
    """
    import numpy as np
    import pyarrow as pa

    from ridgeline.engine.rules.policy import Policy
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.engine.score.matrix import score_matrix
    from ridgeline.engine.score.plan import ScorePlan
    from ridgeline.io.matrix import MetricMatrix

    timestamps, numbers = columns(timeseries)
    matrix = MetricMatrix.from_columns(
        pa.array([name]), np.array([0, len(numbers)]), np.array(timestamps, np.float64), np.array(numbers, np.float64)
    )
    plan = ScorePlan(
        profile=replace(profile_named(profile), min_points=1, boring_points=0),
        full_duration=full_duration,
        as_of="last" if as_of is None else as_of,
        policies=(Policy(consensus=1, algorithms=(name,), stale_period=STALE_NEVER),),
        all_votes=True,
    )
    found: bool | None = score_matrix(matrix, plan).column(name)[0].as_py()
    return found


def columns(timeseries: TimeSeries) -> tuple[list[float], list[float]]:
    """The timestamps and the values of a series of pairs, None as NaN. Raises InputError naming the item that is none."""
    from ridgeline.io.errors import InputError

    timestamps: list[float] = []
    numbers: list[float] = []
    for at, item in enumerate(timeseries):
        try:
            timestamp, value = item
            timestamps.append(float(timestamp))
            numbers.append(math.nan if value is None else float(value))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"item {at} of the series is {item!r}: a pair of epoch seconds and value is wanted"
            ) from error
    return timestamps, numbers


def tail_avg(timeseries: TimeSeries) -> float:
    """Return the mean of the last three values, or the last one of a shorter series.

    None counts as no value: with one among the last three, the last that is a number is the tail. NaN of no values.
    """
    values = [value for value in columns(timeseries[-3:])[1] if not math.isnan(value)]
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
