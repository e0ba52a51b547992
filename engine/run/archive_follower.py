"""New points of the metrics that were not read in full, for an archive that holds all that the memory knows of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.archive.piece import Piece
from ridgeline.io.arrow.buffers import strings
from ridgeline.io.arrow.runs import points_in
from ridgeline.kernels.memory.layout import QUIET, READ_ARCHIVE

if TYPE_CHECKING:
    from ridgeline.engine.archive.gathering import Gathering
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Ints
    from ridgeline.io.matrix import MetricMatrix

News = tuple["Ints", "Ints", "Ints", NDArray[np.float64]]


@dataclass(eq=False)
class ArchiveFollower:
    """Metrics of which the archive holds just what the memory knows: then all that is new is what comes after that."""

    memory: Remembered
    gathering: Gathering
    asked: NDArray[np.uint8] = field(init=False)
    code: int = READ_ARCHIVE
    _pieces: list[News] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = np.zeros(len(self.memory.file), np.uint8)
        self._marks = np.full(len(self.memory.file), -1, np.int64)

    def behind(self, rows: Ints) -> Ints:
        """Rows whose newest known point is not the newest that is archived."""
        marks = self.gathering.archive.marks
        self._marks[rows] = marks.rows(strings(self.memory.names(rows)))
        same = marks.last[self._marks[rows]] == self.memory.newest(rows)
        self.asked[rows[same]] = 1
        found: Ints = rows[~same]
        return found

    def news(self, rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64]) -> None:
        """Keep them until it is known which rows are settled."""
        self._pieces.append((rows, offsets, timestamps.copy(), values.copy()))

    def undecided(self) -> Ints:
        """None: whatever comes after what is archived is new."""
        return np.empty(0, np.int64)

    def anchor(self, series: MetricMatrix, rows: Ints) -> None:
        """The archive's sink looks at series that are read in full."""

    def gather(self) -> None:
        """Hand on what is new in the rows that were not read in full."""
        for rows, offsets, timestamps, values in self._pieces:
            lengths = np.diff(offsets)
            chosen = np.flatnonzero((lengths > 0) & (self.memory.codes[rows] <= QUIET) & (self.asked[rows] > 0))
            mine, lengths = rows[chosen], lengths[chosen]
            at = points_in(offsets[chosen], lengths)
            names = strings(self.memory.names(mine))
            self.gathering.follow(self._marks[mine], Piece(names, lengths, timestamps[at], values[at]))
