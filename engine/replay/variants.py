"""The series that a history is replayed by: as it is, turned into rises, filled; each for the steps that are judged by it.

What is done to a series depends on the window alone, so it may change from one step to the next. Every step is judged by
what `score` would have made of its window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import prepare
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.kernels.density.layout import ROOM
from ridgeline.kernels.native import loader
from ridgeline.kernels.prepare.layout import DERIVE, DETECT, FEWEST, LAST_VALUE, ZERO_FILL

if TYPE_CHECKING:
    from ridgeline.engine.replay.plan import ReplayPlan

Points = tuple[NDArray[np.int64], NDArray[np.float64]]
Variant = tuple[
    NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]
]  # timestamps, values, which steps are written


def variants_of(points: Points, ask: int, plan: ReplayPlan, window: int, start: int | None) -> Iterator[Variant]:
    """Each series that some steps are judged by, and those steps; nothing where there is none.

    points: timestamps int64[n], ascending, and values float64[n], equal timestamps folded where the profile says so;
    ask: bits as in `kernels.prepare.layout`; window: seconds; start: the metric's first step, if it is later than the plan's.
    """
    t, _ = points
    if not ask or not len(t):
        yield *points, plan.wanted_steps(t, start)
        return
    counters = _counters(points, ask, plan, window)
    rises = _changed(points, DERIVE, plan) if counters.any() else points
    # The newest rise of a counter that has just been reset is an older step's.
    there = np.append(t[1:] != t[:-1], True) & (~counters | np.isin(t, rises[0]))
    steps = np.flatnonzero(there)
    steps = steps[plan.wanted_steps(t[steps], start) == 1]
    for series, chosen in ((points, steps[~counters[steps]]), (rises, steps[counters[steps]])):
        if len(chosen):
            fill = ask & (ZERO_FILL | LAST_VALUE)
            if fill and series is not points:
                fill = LAST_VALUE
            yield from _filled(series, t[chosen], fill, plan, window)


def _counters(points: Points, ask: int, plan: ReplayPlan, window: int) -> NDArray[np.bool_]:
    """Whether each step is judged by rises, bool[n]."""
    t, x = points
    found = np.zeros(len(t), np.bool_)
    if ask & DETECT:
        flags = np.empty(len(t), np.uint8)
        _look(points, plan, window, flags, np.empty(0, np.int64))
        found |= flags > 0
    if ask & DERIVE:
        with np.errstate(over="ignore"):
            rises = np.diff(x)
        some = np.append(False, np.cumsum((rises >= 0) & (rises < np.inf)) > 0)
        found |= some & (np.arange(len(t)) >= FEWEST - 1)
    return found


def _filled(series: Points, when: NDArray[np.int64], fill: int, plan: ReplayPlan, window: int) -> Iterator[Variant]:
    """The series filled, once for each of the steps at which its windows are filled."""
    t, _ = series
    at = np.searchsorted(t, when, "right") - 1
    if not fill:
        yield *series, _marked(len(t), at)
        return
    every = np.empty(len(t), np.int64)
    _look(series, plan, window, np.empty(0, np.uint8), every)
    for step in np.unique(every[at]).tolist():
        some = at[every[at] == step]
        filled = series
        if step:
            since = int(t[some[0]]) - window
            filled = _changed(series, fill, plan, step=step, window=int(t[-1]) - since)
        yield *filled, _marked(len(filled[0]), np.searchsorted(filled[0], t[some], "right") - 1)


def _changed(series: Points, ask: int, plan: ReplayPlan, *, step: int = 0, window: int = 0) -> Points:
    """A whole history, prepared as one."""
    t, x = series
    matrix = MetricMatrix.from_columns(pa.array(["series"]), np.array([0, len(t)]), t, x)
    profile = replace(plan.profile, windowed=False, last_wins=False, drop_future=False)
    prepared = prepare(
        matrix,
        np.array([ask], np.uint8),
        np.array([NO_AS_OF]),
        np.array([window]),
        profile.encode(),
        steps=np.array([step]),
    ).judged(0)
    begin, end = prepared.offsets.tolist()
    return prepared.timestamps[begin:end], prepared.values[begin:end]


def _look(series: Points, plan: ReplayPlan, window: int, counters: Any, steps: Any) -> None:
    loader.entry("history")(*series, window, int(plan.profile.skyline), counters, steps, np.empty(ROOM))


def _marked(length: int, at: NDArray[np.int64]) -> NDArray[np.uint8]:
    wanted = np.zeros(length, np.uint8)
    wanted[at] = 1
    return wanted
