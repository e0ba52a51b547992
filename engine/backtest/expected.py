"""The expected range of each anomalous step, as a run at that moment would have told it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import Prepared, prepare
from ridgeline.engine.score.considered import Considering
from ridgeline.engine.score.expected import expected
from ridgeline.engine.score.plan import Policies, resolve_as_of
from ridgeline.engine.score.reach import stretched
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.matrix import MetricMatrix

MOST_POINTS: Final = 1 << 20  # of windows side by side


def expected_at(matrix: MetricMatrix, row: int, stamps: NDArray[np.int64], scorer: Scorer) -> NDArray[np.float64]:
    """float64[n, 2] in the metric's unit, for the n steps of one row at `stamps`; NaN where none is known."""
    found = [
        bounds or (np.nan, np.nan)
        for windows in _windows(matrix, row, stamps, scorer)
        for bounds in _bounds(windows, scorer)
    ]
    return np.array(found, np.float64).reshape(-1, 2)


def _windows(matrix: MetricMatrix, row: int, stamps: NDArray[np.int64], scorer: Scorer) -> Iterator[MetricMatrix]:
    """The windows that end at `stamps`, each a row of its own, so many at a time that they take little memory."""
    name = matrix.name(row)
    policy = scorer.overrides.policy(name)
    begin, end = matrix.offsets[row : row + 2].tolist()
    t, x = matrix.timestamps[begin:end], matrix.values[begin:end]
    stops = np.searchsorted(t, stamps, "right")
    starts = np.searchsorted(t, stamps - (policy.full_duration or scorer.plan.full_duration), "right")
    starts = np.maximum(starts - 1, 0)  # a counter's first difference needs the point before it
    if policy.min_window_points:
        starts[:] = 0  # how far such a window goes back is found out from its own steps
    at = 0
    while at < len(stamps):
        sizes = np.cumsum(stops[at:] - starts[at:])
        to = at + max(int(np.searchsorted(sizes, MOST_POINTS, "right")), 1)
        places = [slice(*pair) for pair in zip(starts[at:to].tolist(), stops[at:to].tolist(), strict=True)]
        yield MetricMatrix.from_columns(
            strings([name] * len(places)),
            np.concatenate(([0], sizes[: to - at])),
            np.concatenate([t[place] for place in places]),
            np.concatenate([x[place] for place in places]),
            as_of=stamps[at:to],
        )
        at = to


def _bounds(windows: MetricMatrix, scorer: Scorer) -> Iterator[tuple[float, float] | None]:
    given = scorer.assign(windows)
    series = Prepared(windows)
    if given.asks is not None:
        as_of = resolve_as_of(windows, scorer.plan)
        plan = replace(scorer.plan, policies=given.policies)
        policies = stretched(Policies.encode(plan, given.of_row, len(windows)), windows, as_of)
        series = prepare(windows, given.asks, as_of, policies.windows, scorer.plan.profile.encode())
    points = Considering(series, scorer).points
    for at in range(len(windows)):
        yield expected(points(at)[1])
