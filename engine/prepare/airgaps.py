"""Airgaps: where points are missing between points, found in all series of a matrix at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.gaps.layout import CLOSED, FACTS, FULL, OPEN, STEP, gaps_room
from ridgeline.kernels.native import loader

MOST: Final = 100  # closed gaps that are kept of one metric, its newest

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """What was found in n rows. Seconds; instants in epoch seconds.

    step            int64[n]: the usual step of each row, 0 where it cannot be told: too few points
    closed          int64[n]: gaps that ended
    opened          int64[n]: the first second of the gap that has not, 0 where there is none
    offsets         int64[n+1]: the closed gaps of row i, its newest `most`, are at offsets[i]:offsets[i+1] of
    starts, ends    int64: the first and the last second of each
    """

    step: Ints
    closed: Ints
    opened: Ints
    offsets: Ints
    starts: Ints
    ends: Ints

    def of(self, row: int) -> list[tuple[int, int]]:
        """First and last second of each closed gap of a row that is kept, oldest first."""
        piece = slice(int(self.offsets[row]), int(self.offsets[row + 1]))
        return list(zip(self.starts[piece].tolist(), self.ends[piece].tolist(), strict=True))


def find_gaps(matrix: MetricMatrix, as_of: Ints, period: int, most: int = MOST) -> Gaps:
    """The gaps of every row among its points in the `period` seconds before its `as_of` (int64[n], or `NO_AS_OF`).

    The usual step of a row is its most frequent one, and more than two and a half of it between neighbours are a gap (of
    600 seconds or more: two of it and 60 seconds); `ridgeline.kernels.gaps` has the rule to the second.
    """
    offsets, rows = matrix.offsets, len(matrix)
    scratch = np.empty(gaps_room(int(np.diff(offsets).max(initial=0))))
    facts, kept = np.empty((rows, FACTS), np.int64), np.empty(rows + 1, np.int64)
    find: Any = loader.entry("gaps")
    for room in (rows, rows * most):
        starts, ends = np.empty(room, np.int64), np.empty(room, np.int64)
        if find(offsets, matrix.timestamps, as_of, period, most, starts, ends, kept, facts, scratch) != FULL:
            break
    count = int(kept[-1])
    return Gaps(facts[:, STEP], facts[:, CLOSED], facts[:, OPEN], kept, starts[:count], ends[:count])
