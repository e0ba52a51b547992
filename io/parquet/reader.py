"""Reading Parquet files batch after batch, one batch ahead, in pieces of bounded size whatever the row groups are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.columns import as_of_values
from ridgeline.io.arrow.layout import Layout
from ridgeline.io.arrow.points import list_points, long_points, rows_of
from ridgeline.io.arrow.runs import Runs, runs_of
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.parquet.catalog import constant
from ridgeline.io.parquet.files import DataFile

BATCH: Final = 1 << 20  # points read at a time: 16 MB of timestamps and values
BYTES_PER_POINT: Final = 160  # of a batch in all its forms, the one read ahead included


class Reader:
    """The rows of several files as one sequence. `seconds["load"]` adds up the time spent waiting for them."""

    def __init__(self, files: Sequence[DataFile], max_memory: int, seconds: dict[str, float]) -> None:
        self.files = files
        self.seconds = seconds
        self.batch = int(np.clip(max_memory // BYTES_PER_POINT, 1 << 12, BATCH))
        self._types = _shared_types(files)
        first = files[0].layout
        self.layout = Layout(first.lists, first.seconds, any(file.layout.as_of for file in files))

    @property
    def rows(self) -> int:
        """Rows in all files: points, or metrics where columns are lists."""
        return sum(file.rows for file in self.files)

    @property
    def points_per_row(self) -> float:
        """1, or the mean length of the lists."""
        if not self.layout.lists:
            return 1.0
        return sum(points for file in self.files for _, _, points in _groups(file)) / max(self.rows, 1)

    def metric_runs(self) -> Iterator[Runs]:
        """The runs of the metric column, batch by batch, counted in rows."""
        for file in self.files:
            if file.metric is not None:
                yield from constant(file.metric, file.rows)
                continue
            for groups, size in self._stretches(file):
                with file.naming(groups):
                    for batch in file.batches(groups, ["metric"], size):
                        yield runs_of([batch.column(0)])

    def read(
        self, wanted: Callable[[int, int], bool] | None = None, *, names: bool = False
    ) -> Iterator[tuple[int, pa.Table]]:
        """(first row, columns) of each batch, the metric column with `names` only.

        `wanted` tells of a range of rows whether any is needed; row groups where none is are skipped.
        """
        with ThreadPoolExecutor(1, "ridgeline-parquet") as ahead:
            batches = self._batches(wanted, names=names)
            pending = ahead.submit(next, batches, None)
            try:
                while True:
                    started = perf_counter()
                    item = pending.result()
                    self.seconds["load"] += perf_counter() - started
                    if item is None:
                        return
                    pending = ahead.submit(next, batches, None)
                    yield item
            finally:
                pending.cancel()
                ahead.submit(batches.close).result()

    def _batches(
        self, wanted: Callable[[int, int], bool] | None, *, names: bool
    ) -> Generator[tuple[int, pa.Table], None, None]:
        columns = [name for name in self.layout.columns if names or name != "metric"]
        row = 0
        for file in self.files:
            for groups, size in self._stretches(file):
                at = row
                row += sum(file.metadata.row_group(g).num_rows for g in groups)
                if wanted is None or wanted(at, row):
                    for batch in file.batches(groups, columns, size):
                        yield at, _aligned(batch, columns, self._types, file.metric)
                        at += batch.num_rows

    def _stretches(self, file: DataFile) -> Iterator[tuple[list[int], int]]:
        """Row groups to read in one go, and rows per batch: small row groups together, large ones in pieces."""
        groups: list[int] = []
        rows = points = 0
        for index, more_rows, more_points in _groups(file):
            if groups and points + more_points > self.batch:
                yield groups, _rows_of(self.batch, rows, points)
                groups, rows, points = [], 0, 0
            groups.append(index)
            rows += more_rows
            points += more_points
        if groups:
            yield groups, _rows_of(self.batch, rows, points)


def matrix_of(table: pa.Table, runs: Runs, layout: Layout) -> MetricMatrix:
    """A matrix from columns without names and the runs of their rows."""
    if layout.lists:
        codes = np.repeat(runs.codes, np.diff(runs.starts))
        points = list_points(table, Runs(runs.names, codes, np.arange(len(table) + 1)), layout)
    else:
        points = long_points(table, runs, layout)
    rows = rows_of(points)
    return MetricMatrix.from_series(
        rows.metrics, rows.series, as_of=rows.as_of, reasons=rows.reasons, repairs=rows.repairs
    )


def _groups(file: DataFile) -> Iterator[tuple[int, int, int]]:
    """(index, rows, points) of each row group that has rows."""
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        points = group.num_rows
        if file.layout.lists:
            points = max(group.column(j).num_values for j in range(group.num_columns))
        if group.num_rows:
            yield index, group.num_rows, points


def _rows_of(batch: int, rows: int, points: int) -> int:
    """Rows of about `batch` points."""
    return max(1, rows * batch // max(points, 1))


def _aligned(
    batch: pa.RecordBatch, columns: Sequence[str], types: dict[str, Any], metric: pa.StringArray | None
) -> pa.Table:
    """The batch as a table of these columns, in the types that all files share."""
    arrays = []
    for name in columns:
        if name in batch.schema.names:
            array = batch.column(name)
        elif name == "metric" and metric is not None:
            zeros: NDArray[np.int32] = np.zeros(batch.num_rows, np.int32)
            array = pa.DictionaryArray.from_arrays(arrow(zeros), metric)
        else:
            array = pa.nulls(batch.num_rows, types[name])
        if name in types and array.type != types[name]:
            array = _cast(name, array, types[name])
        arrays.append(array)
    return pa.Table.from_arrays(arrays, names=list(columns))


def _cast(name: str, array: pa.Array, kind: pa.DataType) -> pa.Array:
    if name == "as_of":
        seconds = as_of_values(array)
        return arrow(seconds, seconds == NO_AS_OF)
    return array.cast(kind, safe=False)


def _shared_types(files: Sequence[DataFile]) -> dict[str, Any]:
    """One type for each column but metric: the type of all files, or the widest of its kind where they differ."""
    shared: dict[str, Any] = {}
    for name in ("timestamp", "value", "as_of"):
        kinds = {file.schema.field(name).type for file in files if name in file.schema.names}
        if len(kinds) < 2:
            shared.update(zip([name], kinds, strict=False))
        elif name == "as_of":
            shared[name] = pa.int64()
        else:
            lists = files[0].layout.lists
            items = {kind.value_type if lists else kind for kind in kinds}
            widest = _widest(name, items)
            shared[name] = pa.large_list(widest) if lists else widest
    return shared


def _widest(name: str, kinds: set[Any]) -> pa.DataType:
    if all(pa.types.is_timestamp(kind) for kind in kinds):
        return pa.timestamp("us")
    whole = name == "timestamp" and all(pa.types.is_integer(kind) for kind in kinds)
    return pa.int64() if whole else pa.float64()
