"""An archive that is open for writing: by one process at a time, and whole whenever that process dies.

Every write is a file of its own under the next number, and a day's files are written before those of the days after it.
Then the marks are. So a file with a number that the marks do not know of was written by a process that died in between:
it is whole, and its points count as archived up to the newest of each metric.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.archive.folder import DAY, Folder, Found, generations, remove
from ridgeline.engine.archive.marks import Marks, read_marks, write_marks
from ridgeline.engine.archive.piece import Piece
from ridgeline.io.disk.lock import lock
from ridgeline.io.errors import InputError, LockHeld
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.generations import Generation, generation_of
from ridgeline.io.parquet.pruned import only_metrics
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.write import write_parquet

Ints = NDArray[np.int64]
WINDOW_STRETCHES: Final = 7  # stretches of the marks that a window of points takes
_POLL: Final = 0.1


@dataclass(slots=True)
class Archive:
    """`keep`: seconds for which points stay. `days`: what lay in the folders when it was opened or last looked at."""

    folder: Folder
    keep: int
    marks: Marks
    days: dict[int, Found]
    max_memory: int = 2 << 30

    @property
    def newest(self) -> int | None:
        """The newest point that is archived."""
        last = self.marks.last
        return int(last.max()) if len(last) and int(last.max()) >= 0 else None

    @property
    def oldest_day(self) -> int:
        """The first day whose points stay, seen from the newest point: as long as nothing new comes, nothing goes."""
        newest = self.newest
        return 0 if newest is None else (newest - self.keep) // DAY

    def append(self, piece: Piece) -> int:
        """Write the points of a piece that are of days that are kept; return how many. Raises OutputError.

        The marks of its metrics are not touched: that is for who knows whether these are the newest points.
        """
        days = piece.stamps // DAY
        oldest_day = max(self.oldest_day, (int(piece.stamps.max(initial=0)) - self.keep) // DAY)
        self.marks.sequence += 1
        name, written = Generation(self.marks.sequence, self.marks.sequence).file, 0
        for day in sorted(set(days.tolist())) if len(days) else ():
            if day < oldest_day:
                continue
            self.folder.make_day(day)
            written += write_parquet(piece.where(days == day).table(), self.folder.day(day) / name)
            self.days.setdefault(day, Found()).files.append(name)
        return written

    def keep_marks(self) -> None:
        """Write how far metrics are archived. Raises OutputError."""
        write_marks(self.folder.marks, self.marks)

    def read(
        self,
        day: int,
        wanted: Callable[[Generation], bool],
        left: Callable[[], float] | None = None,
        metrics: frozenset[str] | None = None,
        since: int = 0,
    ) -> Iterator[MetricMatrix]:
        """What the wanted files of a day hold, of these metrics; points before `since` perhaps not.

        What is damaged counts as not there, so that it is archived anew as long as the source has it. Raises
        SourceUnavailable.
        """

        def select(names: Sequence[str]) -> NDArray[np.bool_]:
            return np.array([metrics is None or name in metrics for name in names], np.bool_)

        def keep(files: Sequence[DataFile]) -> Sequence[DataFile]:
            ours = [file for file in files if (own := _written(file)) is not None and wanted(own)]
            if not ours:
                raise InputError(f"{self.folder.day(day)} holds none of the files wanted")
            return ours if metrics is None else only_metrics(ours, metrics, since - 1)

        with contextlib.suppress(InputError):  # not one row can be read
            yield from ParquetSource(
                self.folder.day(day), select=select, keep=keep, max_memory=self.max_memory, deadline=left
            ).chunks()

    def known(
        self, metrics: frozenset[str], since: int, left: Callable[[], float] | None = None
    ) -> Iterator[MetricMatrix]:
        """The archived points of these metrics from `since` on, day by day; some before them too."""
        for day, found in sorted(self.days.items()):
            if day >= since // DAY and found.files:
                yield from self.read(day, lambda _: True, left, metrics, since)

    def prune(self) -> int:
        """Remove the files of days that are no longer kept; return how many days those were. Raises OutputError."""
        gone = [day for day in self.days if day < self.oldest_day]
        for day in gone:
            found = self.days.pop(day)
            for name in (*found.files, *found.superseded, *found.retired):
                remove(self.folder.day(day) / name)
            with contextlib.suppress(OSError):  # something of somebody else's is left
                self.folder.day(day).rmdir()
        return len(gone)

    def recover(self, left: Callable[[], float] | None = None) -> None:
        """Let the marks know of all files."""
        before = self.marks.sequence
        for day, found in self.days.items():
            last = max((own.last for own in generations(found.files)), default=0)
            if last <= before:
                continue
            for matrix in self.read(day, lambda own: own.last > before, left):
                rows = self.marks.rows(matrix.metrics)
                filled = np.diff(matrix.offsets) > 0
                self.marks.advance(rows[filled], matrix.timestamps[matrix.offsets[1:][filled] - 1])
                self.marks.unsettle(rows)
            self.marks.sequence = max(self.marks.sequence, last)


@contextlib.contextmanager
def opened(
    folder: Folder,
    keep: int,
    window: int,
    as_of: int,
    *,
    patience: float = 0.0,
    left: Callable[[], float] | None = None,
    max_memory: int = 2 << 30,
) -> Iterator[Archive]:
    """The archive, locked until the end of the block; what a process that died left is set right first.

    `window`: seconds that a series in the source spans. `patience`: seconds to wait for another that writes. Raises
    LockHeld, OutputError, UnsafeTarget; SourceUnavailable where what was written last is not read in time.
    """
    folder.make()
    with contextlib.ExitStack() as stack:
        _lock(stack, folder, patience)
        days = folder.days()
        folder.tidy(days)
        width = -(-window // WINDOW_STRETCHES)
        marks = read_marks(folder.marks, width, as_of)
        if marks is None:
            marks = Marks(width)
            marks.turn_to(as_of)
        archive = Archive(folder, keep, marks, days, max_memory)
        archive.recover(left)
        yield archive


def _lock(stack: contextlib.ExitStack, folder: Folder, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            stack.enter_context(lock(folder.lock))
        except LockHeld:
            if time.monotonic() >= end:
                raise
            time.sleep(_POLL)
        else:
            return


def _written(file: DataFile) -> Generation | None:
    return generation_of(file.path.rpartition("/")[2])
