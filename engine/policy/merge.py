"""The steps of several trails, put together moment by moment: a day of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np

from ridgeline.engine.policy.trail import Trail
from ridgeline.io.ordered import distinct

DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a metric, as in `MetricSteps`; `until`: the last moment at which runs still judge it."""

    metric: str
    timestamp: int
    kind: int
    value: float
    votes: int
    expected: tuple[float, float] | None
    until: int


def by_moment(trails: Sequence[Trail]) -> Iterator[tuple[int, list[Step]]]:
    """Each moment with a step that matters, ascending, and its steps, in the order of trails and of their metrics."""
    days = [distinct(trail.columns["timestamp"] // DAY) for trail in trails]
    for day in distinct(np.concatenate([*days, np.empty(0, np.int64)])).tolist():
        rows = [row for trail in trails for row in _rows(trail, day * DAY)]
        rows.sort(key=itemgetter(0))
        for moment, some in groupby(rows, itemgetter(0)):
            yield moment, [_step(*row) for row in some]


def _rows(trail: Trail, start: int) -> Iterator[tuple[Any, ...]]:
    """Those of one day that begins at `start`, ascending."""
    first, stop = np.searchsorted(trail.columns["timestamp"], (start, start + DAY)).tolist()
    stamps, metrics, *others = (column[first:stop].tolist() for column in trail.columns.values())
    for at, code, *row in zip(stamps, metrics, *others, strict=True):
        yield at, trail.names[code], int(trail.stale_after[code]), *row


def _step(at: int, metric: str, stale: int, kind: int, value: float, votes: int, *bounds: float) -> Step:
    known = bool(bounds) and bounds[0] == bounds[0]
    return Step(metric, at, kind, value, votes, (bounds[0], bounds[1]) if known else None, at + stale)
