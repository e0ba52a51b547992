"""Reading Parquet files batch after batch, one batch ahead, in pieces of bounded size whatever the row groups are.

The rows of all files are one sequence; a row's place in it never depends on what can be read. Where a row group is
damaged, the rest of it is left out and told, and reading goes on behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.parquet.catalog import NOT_WANTED
from ridgeline.io.parquet.common import Common
from ridgeline.io.parquet.files import Damaged, DataFile
from ridgeline.io.parquet.listing import Problems, note
from ridgeline.io.parquet.naming import Naming
from ridgeline.io.parquet.stretches import Stretch, points_in, stretches
from ridgeline.io.parquet.waiting import Left, ahead, patience

BATCH: Final = 1 << 20  # points read at a time: 16 MB of timestamps and values
BYTES_PER_POINT: Final = 160  # of a batch in all its forms, the one read ahead included

T = TypeVar("T")


class Reader:
    """The rows of several files as one sequence.

    `seconds["load"]` adds up the time spent waiting for them; `problems` gets (path, sentence) of what cannot be read,
    `lost` the (first, end) rows of it. `left`: seconds that a wait may still take; `most`:
    points of a batch, where that is less than memory and speed would have.
    """

    def __init__(
        self,
        files: Sequence[DataFile],
        common: Common,
        max_memory: int,
        seconds: dict[str, float],
        problems: Problems,
        left: Left | None = None,
        most: int = BATCH,
    ) -> None:
        self.files = files
        self.common = common
        self.seconds = seconds
        self.problems = problems
        self.lost: list[tuple[int, int]] = []
        self.batch = int(np.clip(max_memory // BYTES_PER_POINT, 1 << 12, BATCH))
        self._most = min(most, self.batch)
        self._longest = max(max_memory // BYTES_PER_POINT, 1 << 17)
        self._patience = patience(left, remote=files[0].filesystem is not None)

    @property
    def rows(self) -> int:
        """Rows in all files: points, or metrics where columns are lists."""
        return sum(file.rows for file in self.files)

    @property
    def points(self) -> int:
        """Points in all files; an empty list counts as one."""
        return sum(points_in(group, lists=self.common.layout.lists) for file in self.files for group in file.groups)

    def metric_runs(self, naming: Naming) -> Iterator[Runs]:
        """The runs of the metrics, batch by batch, counted in rows; those that cannot be read are not wanted."""
        yield from self._ahead(self._metric_runs(naming))

    def read(
        self, wanted: Callable[[int, int], bool] | None = None, naming: Naming | None = None
    ) -> Iterator[tuple[int, pa.Table]]:
        """(first row, columns) of each batch, the column `metric` only with a `naming`.

        `wanted` tells of a range of rows whether any is needed; row groups where none is are skipped, others read as far as
        some are.
        """
        yield from self._ahead(self._batches(wanted, naming))

    @contextmanager
    def decoding(self) -> Iterator[None]:
        """Count the time of the block as decoding."""
        started = perf_counter()
        yield
        self.seconds["decode"] += perf_counter() - started

    @property
    def unread(self) -> bool:
        """Whether not one row could be read."""
        row = 0
        for first, end in sorted(self.lost):
            row = max(row, end) if first <= row else row
        return row > 0 and row == self.rows

    def _ahead(self, items: Iterator[T]) -> Iterator[T]:
        return ahead(items, self._patience, self.files[0].path, self._waited)

    def _waited(self, seconds: float) -> None:
        self.seconds["load"] += seconds

    def _metric_runs(self, naming: Naming) -> Iterator[Runs]:
        for stretch in stretches(self.files, self.batch, lists=self.common.layout.lists):
            columns = naming.columns(stretch.file)
            if not columns:
                yield naming.constant(stretch.file, stretch.rows)
                continue
            row = stretch.row
            for at, rows, runs in self._readable(stretch, columns, partial(naming.runs, stretch.file)):
                yield from _unread(at - row)
                yield runs
                row = at + rows
            yield from _unread(stretch.end - row)

    def _batches(
        self, wanted: Callable[[int, int], bool] | None, naming: Naming | None
    ) -> Iterator[tuple[int, pa.Table]]:
        for stretch in stretches(self.files, self.batch, lists=self.common.layout.lists):
            if wanted is not None and not wanted(stretch.row, stretch.end):
                continue
            names = [] if naming is None else naming.columns(stretch.file)
            columns = [*names, *(name for name in self.common.layout.columns if name != "metric")]
            for row, rows, table in self._readable(stretch, columns, partial(self._fit, stretch.file, naming)):
                yield row, table
                if wanted is not None and row + rows < stretch.end and not wanted(row + rows, stretch.end):
                    break  # the rest of these row groups is none of what is read

    def _fit(self, file: DataFile, naming: Naming | None, batch: pa.RecordBatch) -> pa.Table:
        """A batch in the shape of all files."""
        if self.common.layout.lists:
            batch.validate(full=True)  # offsets must not point outside
        table = self.common.fit(batch)
        if naming is None:
            return table
        runs = naming.runs(file, batch)
        codes = np.repeat(runs.codes, np.diff(runs.starts)).astype(np.int32)
        return table.append_column("metric", pa.DictionaryArray.from_arrays(arrow(codes, codes < 0), runs.names))

    def _readable(
        self, stretch: Stretch, columns: Sequence[str], take: Callable[[pa.RecordBatch], T], skip: int = 0
    ) -> Iterator[tuple[int, int, T]]:
        """(first row, rows, what `take` makes of them) of each batch that can be read, from the row `skip` on."""
        if stretch.longest > self._longest:
            self._lose(stretch, stretch.row, stretch.too_long(self._longest))
            return
        done, size = 0, max(1, stretch.size * self._most // self.batch)
        try:
            with stretch.file.naming(stretch.groups):
                for batch in stretch.file.batches(stretch.groups, columns, size):
                    fresh = batch.slice(max(skip - done, 0))
                    if fresh.num_rows:
                        yield stretch.row + done + batch.num_rows - fresh.num_rows, fresh.num_rows, take(fresh)
                    done += batch.num_rows
                if done < stretch.rows:
                    raise ValueError(f"it holds {done} rows, not {stretch.rows}")
        except Damaged as error:
            done = max(done, skip)
            if len(stretch.groups) == 1:
                self._lose(stretch, stretch.row + done, str(error))
                return
            for part in stretch.apart():
                if part.end > stretch.row + done:
                    yield from self._readable(part, columns, take, max(stretch.row + done - part.row, 0))

    def _lose(self, stretch: Stretch, first: int, sentence: str) -> None:
        """Remember that the rows from `first` on cannot be read; say so once."""
        if (first, stretch.end) not in self.lost:
            self.lost.append((first, stretch.end))
        note(self.problems, stretch.file.path, sentence)


def _unread(rows: int) -> Iterator[Runs]:
    """One run of rows that cannot be read."""
    if rows:
        yield Runs(strings([]), np.array([NOT_WANTED]), np.array([0, rows]))
