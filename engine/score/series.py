"""Each algorithm, and the seeds' helpers, on one series `[(timestamp, value), ...]`.

    from ridgeline import algorithms

    algorithms.grubbs([(1700000000, 1.0), (1700000060, 1.1), ...])            # True, False or None

The nine are here under their own names (`__getattr__` derives them from the registry), called as
`NAME(series, *, profile="native", as_of=None, full_duration=86400) -> bool | None`: None where the algorithm failed or
no point is left. Neither length, staleness nor boredom is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ridgeline.engine.score.plan import algorithm_names

Series = Sequence[tuple[float, float | None]]


def tail_avg(series: Series) -> float:
    """Return the mean of the last three values, or the last one of a shorter series."""
    values = [float(value) for _, value in series[-3:] if value is not None]
    return sum(reversed(values)) / 3 if len(values) == 3 else values[-1]


def determine_array_median(array: Iterable[float]) -> float:
    """Return the median of the finite values of an array; NaN of none."""
    ordered = sorted(value for value in map(float, array) if math.isfinite(value))
    if not ordered:
        return math.nan
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def determine_median(series: Series) -> float:
    """Return the median of a series' values."""
    return determine_array_median(value for _, value in series if value is not None)


def negatives_present(series: Series) -> bool:
    """Return whether any value is below zero."""
    return any(value is not None and value < 0 for _, value in series)


def _vote(
    name: str, series: Series, *, profile: str = "native", as_of: int | None = None, full_duration: int = 86400
) -> bool | None:
    import numpy as np
    import pyarrow as pa

    from ridgeline.engine.rules.policy import Policy
    from ridgeline.engine.rules.profiles import profile_named
    from ridgeline.engine.score.matrix import score_matrix
    from ridgeline.engine.score.plan import ScorePlan
    from ridgeline.io.matrix import MetricMatrix

    values = np.array([math.nan if value is None else value for _, value in series], dtype=np.float64)
    timestamps = np.array([timestamp for timestamp, _ in series], dtype=np.float64)
    matrix = MetricMatrix.from_columns(pa.array([name]), np.array([0, len(values)]), timestamps, values)
    plan = ScorePlan(
        profile=replace(profile_named(profile), min_points=1, boring_points=0),
        full_duration=full_duration,
        as_of="last" if as_of is None else as_of,
        policies=(Policy(consensus=1, algorithms=(name,), stale_period=2**62),),
        all_votes=True,
    )
    vote: bool | None = score_matrix(matrix, plan).column(name)[0].as_py()
    return vote


def __getattr__(name: str) -> Any:
    if name.startswith("__") or name not in algorithm_names():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(_vote, name)


def __dir__() -> list[str]:
    return sorted({"tail_avg", "determine_median", "determine_array_median", "negatives_present", *algorithm_names()})
