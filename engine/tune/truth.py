"""What labels say of each step of a piece, as the sweep reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.labels import Window
from ridgeline.engine.evaluate.nab import PROFILES, worth_of
from ridgeline.engine.tune.history import Piece
from ridgeline.engine.tune.lots import Lots
from ridgeline.kernels.sweep.layout import FACTS, JUDGED, LOT, NAB_WINDOW, NINE, OUTSIDE, SPAN, WALKS

STANDARD: Final = PROFILES["standard"]


@dataclass(frozen=True, slots=True)
class Truth:
    """Of a piece of N steps: facts int32[FACTS, N] and worth float64[N] of each, as `kernels.sweep.layout` has them.

    spans int64[P+1], windows int64[Q]: the windows that each span lies in; window_lots int64[W]: the lot of each window
    """

    facts: NDArray[np.int32]
    worth: NDArray[np.float64]
    spans: NDArray[np.int64]
    windows: NDArray[np.int64]
    window_lots: NDArray[np.int64]


def truth_of(piece: Piece, windows: Mapping[str, Sequence[Window]], lots: Lots) -> Truth:
    """What labels say of a piece."""
    steps = len(piece.timestamps)
    facts, worth = np.zeros((FACTS, steps), np.int32), np.zeros(steps)
    facts[NAB_WINDOW] = OUTSIDE
    # Counts over all metrics do as well as those of each: only differences within a metric are asked for.
    facts[NINE] = np.cumsum(~np.isnan(piece.scores).all(axis=0))
    facts[WALKS] = np.cumsum(~np.isnan(piece.walks).all(axis=0)) if len(piece.walks) else facts[NINE]
    facts[JUDGED] = np.cumsum(piece.analysed)
    members: list[list[int]] = [[]]
    window_lots: list[int] = []
    for at, metric in enumerate(piece.metrics):
        here = piece.steps_of(at)
        stamps = piece.timestamps[here]
        facts[LOT, here] = lots.of(metric, stamps)
        own = windows.get(metric, ())
        _nab(facts[NAB_WINDOW, here], worth[here], stamps, own, len(window_lots))
        _spans(facts[SPAN, here], stamps, own, members, len(window_lots))
        window_lots += lots.of(metric, np.array([start for start, _ in own], np.int64)).tolist()
    return Truth(
        facts,
        worth,
        np.cumsum([0, *map(len, members)]),
        np.array([window for some in members for window in some], np.int64),
        np.array(window_lots or [0], np.int64),
    )


def _nab(
    home: NDArray[np.int32],
    worth: NDArray[np.float64],
    stamps: NDArray[np.int64],
    windows: Sequence[Window],
    first: int,
) -> None:
    """NAB's window and points of each step of a metric, whose first window has the number `first`."""
    found = worth_of(stamps, windows)
    inside = found.home >= 0
    home[:] = np.where(inside, first + found.home, found.home)
    # A window that is found costs no miss: what a silent detector loses there is won as well.
    won = STANDARD.true_positive * found.value + STANDARD.false_negative
    worth[:] = np.where(inside, won, STANDARD.false_positive * found.value)


def _spans(
    span: NDArray[np.int32], stamps: NDArray[np.int64], windows: Sequence[Window], members: list[list[int]], first: int
) -> None:
    """Cut a metric's steps where a window begins or ends, and add the windows of each span to `members`."""
    if not windows:
        return
    starts = np.searchsorted(stamps, [start for start, _ in windows])
    ends = np.searchsorted(stamps, [end for _, end in windows], side="right")
    edges = np.unique(np.concatenate((starts, ends)))
    for begin, end in pairwise(edges.tolist()):
        around = np.flatnonzero((starts <= begin) & (ends >= end))
        if len(around):
            span[begin:end] = len(members)
            members.append((first + around).tolist())
