"""What a run finds new while it reads, kept until its alerts are out: columns only, within a bound of memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.archive.archive import Archive
from ridgeline.engine.archive.marks import MOST, UNKNOWN, Counts
from ridgeline.engine.archive.piece import Piece, cut, joined, not_archived
from ridgeline.engine.archive.select import behind
from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.io.matrix import MetricMatrix

Ints = NDArray[np.int64]
SHARE: Final = 16  # of the memory of a run, for points that wait
BYTES_PER_POINT: Final = 64  # of those, while they are written too
MOST_DOUBTFUL: Final = 2000  # series that are held against the archive in one run; the others' turn comes
AT_ONCE: Final = 1 << 20  # points of one file


@dataclass(frozen=True, slots=True)
class Fresh:
    """New points of the metrics `rows`; `last` and `counts` (uint16[n, stretches]) are what the marks then say."""

    rows: Ints
    piece: Piece
    last: Ints
    counts: Counts


@dataclass(slots=True)
class Outcome:
    """Points that were archived, late ones among them; metrics and points that wait for another run; problems."""

    points: int = 0
    late: int = 0
    waiting: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, int]:
        """The counts."""
        return {"points": self.points, "late": self.late, "waiting": self.waiting}


@dataclass(slots=True)
class Gathering:
    """The new points of one run, and the series in which late ones may be. Points after `as_of` wait for their time."""

    archive: Archive
    as_of: int
    outcome: Outcome = field(default_factory=Outcome)
    _fresh: list[Fresh] = field(default_factory=list)
    _doubtful: list[Fresh] = field(default_factory=list)
    _points: int = 0

    def take(self, matrix: MetricMatrix) -> None:
        """Look at series that were read whole."""
        stamps, begins, ends = matrix.timestamps, matrix.offsets[:-1], matrix.offsets[1:]
        marks = self.archive.marks
        rows = marks.rows(matrix.metrics)
        stops = behind(stamps, begins, ends, np.full(len(rows), self.as_of))
        starts = behind(stamps, begins, stops, marks.last[rows])
        known, held = marks.counts[rows], marks.counted(stamps, begins, starts)
        doubtful = ((held > known) | ((known == UNKNOWN) & (held > 0))).any(axis=1)
        new = np.flatnonzero(stops > starts)
        fitting = new[: self._fitting((stops - starts)[new])]
        counts = marks.counted(stamps, begins, stops)
        settled = np.where(doubtful[:, None], known, counts).astype(np.uint16)
        piece = cut(matrix, fitting, starts[fitting], stops[fitting])
        self._fresh.append(Fresh(rows[fitting], piece, stamps[stops[fitting] - 1], settled[fitting]))
        unchanged = np.flatnonzero((stops == starts) & ~doubtful)
        marks.settle(rows[unchanged], counts[unchanged])
        self._look_again(matrix, np.flatnonzero(doubtful), rows, starts, counts)

    def follow(self, rows: Ints, piece: Piece) -> None:
        """Take in the new points of the metrics `rows` of the marks, one at least of each, of series in which nothing else is new.

        Where it is not known how many points a stretch of a series held, that stays so until it is read whole.
        """
        ends = np.cumsum(piece.lengths)
        fitting = self._fitting(piece.lengths)
        rows, ends = rows[:fitting], ends[:fitting]
        points = int(ends[-1]) if fitting else 0
        marks, known = self.archive.marks, self.archive.marks.counts[rows]
        more = marks.counted(piece.stamps, ends - piece.lengths[:fitting], ends)
        counts = np.minimum(known + more.astype(np.int64), MOST)
        counts[known == UNKNOWN] = UNKNOWN
        kept = Piece(piece.names[:fitting], piece.lengths[:fitting], piece.stamps[:points], piece.values[:points])
        self._fresh.append(Fresh(rows, kept, piece.stamps[ends - 1], counts.astype(np.uint16)))

    def _fitting(self, lengths: Ints) -> int:
        """How many of the metrics with so many new points each there is room for, the first of them; the others wait."""
        sizes = np.cumsum(lengths)
        room = self.archive.max_memory // SHARE // BYTES_PER_POINT - self._points
        fitting = int(np.searchsorted(sizes, room, "right"))
        self.outcome.waiting += len(lengths) - fitting
        self._points += int(sizes[fitting - 1]) if fitting else 0
        return fitting

    def _look_again(self, matrix: MetricMatrix, doubtful: Ints, rows: Ints, starts: Ints, counts: Counts) -> None:
        """Keep the old points of doubtful series, as far as there is room."""
        begins = matrix.offsets[:-1]
        sizes = np.cumsum((starts - begins)[doubtful])
        room = self.archive.max_memory // SHARE // BYTES_PER_POINT - self._points
        taken = sum(len(each.rows) for each in self._doubtful)
        some = doubtful[sizes <= room][: MOST_DOUBTFUL - taken]
        if not len(some):
            return
        self._points += int(sizes[len(some) - 1])
        piece = cut(matrix, some, begins[some], starts[some])
        self._doubtful.append(Fresh(rows[some], piece, np.empty(0, np.int64), counts[some]))

    def write(self, left: Callable[[], float]) -> Outcome:
        """Write what is new, as long as there are seconds left, then how far metrics are archived.

        Raises OutputError. What was written by then stays, and the next run knows.
        """
        for group in _groups(self._fresh):
            if left() <= 0:
                self.outcome.waiting += sum(len(fresh.rows) for fresh in group)
                continue
            self.outcome.points += self.archive.append(joined([fresh.piece for fresh in group]))
            for fresh in group:
                self.archive.marks.advance(fresh.rows, fresh.last)
                self.archive.marks.settle(fresh.rows, fresh.counts)
        if self._doubtful and left() > 0:
            self._write_late(left)
        self.archive.prune()
        self.archive.keep_marks()
        return self.outcome

    def _write_late(self, left: Callable[[], float]) -> None:
        try:
            lacking = not_archived(self.archive, joined([each.piece for each in self._doubtful]), left)
        except (InputError, SourceUnavailable) as error:
            self.outcome.problems.append(f"late points were not looked for: {error}")
            return
        if len(lacking.stamps):
            self.outcome.late = self.archive.append(lacking)
            self.outcome.points += self.outcome.late
        for each in self._doubtful:
            self.archive.marks.settle(each.rows, each.counts)


def _groups(every: list[Fresh]) -> list[list[Fresh]]:
    """The blocks in groups of about `AT_ONCE` points."""
    groups: list[list[Fresh]] = []
    points = AT_ONCE
    for fresh in every:
        if not len(fresh.rows):
            continue
        if points >= AT_ONCE:
            groups.append([])
            points = 0
        groups[-1].append(fresh)
        points += len(fresh.piece.stamps)
    return groups
