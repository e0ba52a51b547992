"""Airgaps of the metrics that were not read in full, by what the memory keeps of them and their new points."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.memory.gaps import NAME, GapRows
from ridgeline.kernels.gap_rows.layout import CLOSED, FACTS, OPEN, READ, STEP
from ridgeline.kernels.memory.layout import QUIET, READ_GAPS

if TYPE_CHECKING:
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Bools, Ints
    from ridgeline.io.matrix import MetricMatrix

Piece = tuple["Ints", "Ints", "Ints"]


@dataclass(eq=False)
class GapFollower:
    """`wanted`: in which of some metrics gaps are looked for, bool[k]; others are never read for their sake.

    windows  int64[n]: the seconds that are judged of each row
    facts    int64[n, FACTS], as `kernels.gap_rows` has them: of rows that were not read
    """

    memory: Remembered
    period: int
    as_of: int
    windows: Ints
    wanted: Callable[[Sequence[str]], Bools]
    facts: Ints = field(init=False)
    asked: NDArray[np.uint8] = field(init=False)
    code: int = READ_GAPS
    _pieces: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rows = GapRows(self.memory.file.rows(NAME).view(np.int64), self.period, self.as_of)
        self.facts = np.zeros((len(self.memory.file), FACTS), np.int64)
        self.asked = np.zeros(len(self.memory.file), np.uint8)

    def behind(self, rows: Ints) -> Ints:
        """Rows that know less of the series than the memory does, or cannot tell anything. With the clock set back, all."""
        sound = self._rows.sound(rows, self.memory.newest(rows))
        if self.as_of < self.memory.file.slot.written:
            sound[:] = False
        self.asked[rows[sound]] = 1
        self.facts[rows[~sound], STEP] = READ
        return self._in_scope(rows[~sound])

    def news(self, rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64]) -> None:  # noqa: ARG002
        """Keep them until it is known which rows are settled."""
        self._pieces.append((rows, offsets, timestamps.copy()))

    def undecided(self) -> Ints:
        """Those whose new points leave open what there is."""
        found = [np.empty(0, np.int64)]
        for rows, offsets, timestamps in self._pieces:
            ours = (self.memory.codes[rows] <= QUIET) & (self.asked[rows] > 0)
            mine = np.where(ours, rows, -1)
            facts = self._rows.follow(mine, offsets, timestamps, self.memory.points(rows))
            self.facts[rows[ours]] = facts[ours]
            found.append(rows[ours & (facts[:, STEP] == READ)])
        self.memory.changed |= self._rows.changed > 0
        return self._in_scope(np.concatenate(found))

    def anchor(self, series: MetricMatrix, rows: Ints) -> None:
        """Begin anew with what was read in full."""
        self._rows.anchor(series, rows, self.windows[np.maximum(rows, 0)])

    def telling(self) -> Ints:
        """Those of the rows that were not read which have gaps, int64[k]."""
        rows = self.memory.rows[self.memory.codes[self.memory.rows] <= QUIET]
        found: Ints = rows[(self.facts[rows, CLOSED] > 0) | (self.facts[rows, OPEN] > 0)]
        return found

    def gaps(self, row: int) -> tuple[int, list[tuple[int, int]], bool]:
        """(usual step, first and last second of each closed gap, whether one is open) of such a row."""
        step, _, opened = self.facts[row].tolist()
        return step, self._rows.closed(row), opened > 0

    def told(self, metrics: Collection[str]) -> set[str]:
        """Those of the metrics which were not read and whose gaps can be told."""
        return self._among(metrics, lambda rows: self.facts[rows, STEP] != 0)

    def settled(self, metrics: Collection[str]) -> set[str]:
        """Those of the metrics which were not read, and have points."""
        return self._among(metrics, lambda rows: np.ones(len(rows), np.bool_))

    def _among(self, metrics: Collection[str], holding: Callable[[Ints], Bools]) -> set[str]:
        names = list(metrics)
        rows = self.memory.rows_of(names)
        ours = (rows >= 0) & (self.memory.codes[rows] <= QUIET) & np.isin(rows, self.memory.rows)
        return set(compress(names, ours & holding(rows)))

    def _in_scope(self, rows: Ints) -> Ints:
        return rows[self.wanted(self.memory.names(rows))] if len(rows) else rows
