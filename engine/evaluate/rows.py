"""Rows of a metric that lie in labelled windows, and the runs that they and alarms make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.labels import Window
from ridgeline.io.ordered import median

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]


def labelled(timestamps: Rows, windows: Iterable[Window]) -> tuple[Flags, int]:
    """Which rows lie in a window: bool[n], and how many of the windows hold no row at all.

    timestamps int64[n], ascending; windows may overlap.
    """
    edges = np.zeros(len(timestamps) + 1, np.int64)
    unseen = 0
    for start, end in windows:
        first, after = np.searchsorted(timestamps, start), np.searchsorted(timestamps, end, "right")
        unseen += int(first == after)
        edges[first] += 1
        edges[after] -= 1
    return np.cumsum(edges[:-1]) > 0, unseen


def runs(flags: NDArray[Any]) -> tuple[Rows, Rows]:
    """First row of each run of True, and the row after its last: int64[k] each."""
    padded = np.zeros(len(flags) + 2, np.bool_)
    padded[1:-1] = flags
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return edges[::2], edges[1::2]


def step_of(timestamps: Rows) -> float:
    """The median step of at least two rows in seconds; 1 where there is none to tell it by."""
    return median(np.diff(timestamps)) if len(timestamps) > 1 else 1.0
