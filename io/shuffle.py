"""Bringing together the rows of metrics that are scattered over a dataset, within a memory limit.

Metrics are dealt out to parts by their place in first-seen order, as many metrics to a part as memory allows. One pass
over the data appends each batch's rows to the parts' temporary files; then each part is read back, sorted by metric and
handed out, which gives all metrics in first-seen order. Data that fits into memory takes no files.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ridgeline.io.arrow_numpy import arrow, view
from ridgeline.io.catalog import Catalog
from ridgeline.io.errors import OutputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet_reader import Reader, matrix_of
from ridgeline.io.runs import Runs, changes, runs_of, stable_order

Ints = NDArray[np.int64]
BYTES_PER_POINT: Final = 128  # of a part while it is sorted: as read, in order, positions, masks
MOST_PARTS: Final = 256  # open files
CODE: Final = "code"


def shuffled(
    reader: Reader, catalog: Catalog, wanted: NDArray[np.bool_] | None, max_memory: int, temporary: Path | None
) -> Iterator[MetricMatrix]:
    """Matrices of complete metrics, one per part, in first-seen order."""
    keep = np.ones(len(catalog.names), np.bool_) if wanted is None else wanted
    names, counts = catalog.names.filter(arrow(keep)), catalog.counts[keep]
    number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)  # its last place serves rows without a name
    part_of = _dealt(counts, max_memory / (BYTES_PER_POINT * max(reader.points_per_row, 1e-9)))
    firsts = np.append(changes(part_of), len(names))
    repairs: Counter[str] = Counter()
    with ExitStack() as stack:
        parts = _Parts(stack, len(firsts) - 1, temporary)
        for codes, table in _numbered(reader, catalog):
            if wanted is None and (codes < 0).any():
                repairs["null"] += _points(table, codes < 0)
            parts.add(table, number[codes], part_of)
        for part in range(len(firsts) - 1):
            first, last = int(firsts[part]), int(firsts[part + 1])
            matrix = _sorted(parts.take(part), names.slice(first, last - first), first, reader)
            yield replace(matrix, repairs=Counter(matrix.repairs) + repairs)
            repairs.clear()
    if repairs:
        yield replace(MetricMatrix.empty(), repairs=dict(repairs))


class _Parts:
    """Rows by part: in memory if there is only one part, else in temporary files that have no name on disk.

    The system frees such files however the process ends.
    """

    def __init__(self, stack: ExitStack, count: int, temporary: Path | None) -> None:
        self._stack = stack
        self._count = count
        self._directory = temporary or Path(os.environ.get("TMPDIR") or _roomy())
        self._files: list[IO[bytes]] = []
        self._writers: list[pa.ipc.RecordBatchStreamWriter] = []
        self._kept: list[pa.Table] = []

    def add(self, table: pa.Table, codes: Ints, part_of: Ints) -> None:
        """Append rows to the parts of their metrics; rows of code -1 are left out."""
        table = table.append_column(CODE, arrow(codes.astype(np.int32)))
        if self._count == 1 and (codes >= 0).all():
            self._kept.append(table)
            return
        rows = np.flatnonzero(codes >= 0)
        parts = part_of[codes[rows]]
        order = stable_order(parts)
        table = table.take(arrow(rows[order]))
        if self._count == 1:
            self._kept.append(table)
            return
        bounds = np.searchsorted(parts[order], np.arange(self._count + 1))
        try:
            if not self._writers:
                self._open(table.schema)
            for part in np.flatnonzero(np.diff(bounds)):
                self._writers[part].write_table(table.slice(bounds[part], bounds[part + 1] - bounds[part]))
        except OSError as error:
            raise self._full(error) from error

    def take(self, part: int) -> pa.Table:
        """All rows of one part; its file is given back to the system."""
        if self._count == 1:
            table, self._kept = pa.concat_tables(self._kept), []
            return table
        try:
            self._writers[part].close()
            self._files[part].seek(0)
            table = pa.ipc.open_stream(self._files[part]).read_all()
            self._files[part].close()
        except OSError as error:
            raise self._full(error) from error
        return table

    def _open(self, schema: pa.Schema) -> None:
        options = pa.ipc.IpcWriteOptions(compression="lz4" if pa.Codec.is_available("lz4_frame") else None)
        for _ in range(self._count):
            file = tempfile.TemporaryFile("w+b", suffix=".tmp", dir=self._directory)  # noqa: SIM115 - the stack closes it
            self._files.append(self._stack.enter_context(file))
            self._writers.append(pa.ipc.new_stream(file, schema, options=options))

    def _full(self, error: OSError) -> OutputError:
        return OutputError(
            f"{self._directory}: cannot hold the temporary files that bring each metric's rows together: "
            f"{error.strerror or error}; set TMPDIR to a folder with more room, or raise the memory limit"
        )


def _numbered(reader: Reader, catalog: Catalog) -> Iterator[tuple[Ints, pa.Table]]:
    """(metric number of each row, -1 without a name; columns but metric) of each batch."""
    remembered = catalog.codes is not None
    for start, table in reader.read(names=not remembered):
        if remembered:
            yield catalog.codes_between(start, start + len(table)), table
        else:
            runs = runs_of(table.column("metric").chunks)
            yield np.repeat(catalog.numbers.codes(runs), np.diff(runs.starts)), table.drop_columns("metric")


def _sorted(table: pa.Table, names: pa.StringArray, first: int, reader: Reader) -> MetricMatrix:
    """The matrix of one part; its metrics are those numbered from `first`."""
    codes = view(table.column(CODE).combine_chunks()).astype(np.int64) - first
    starts = np.append(changes(codes), len(codes))
    return matrix_of(table.drop_columns(CODE).combine_chunks(), Runs(names, codes[starts[:-1]], starts), reader.layout)


def _dealt(counts: Ints, rows_per_part: float) -> Ints:
    """The part of each metric: 0, 1, 2, ... in the order of metrics, each of about `rows_per_part` rows."""
    total = int(counts.sum())
    rows_per_part = max(rows_per_part, total / MOST_PARTS, 1)
    coarse = np.floor((np.cumsum(counts) - counts) / rows_per_part)
    steps: Ints = np.cumsum(np.diff(coarse, prepend=0) != 0)
    return steps


def _points(table: pa.Table, rows: NDArray[np.bool_]) -> int:
    """Points in some rows of a table, of either layout."""
    stamps = table.column("timestamp")
    if not hasattr(stamps.type, "value_type"):
        return int(np.count_nonzero(rows))
    return int(pc.sum(pc.list_value_length(stamps.filter(arrow(rows)))).as_py() or 0)


def _roomy() -> str:
    """A folder for large temporary files: /tmp is often kept in memory, /var/tmp is not."""
    return "/var/tmp" if os.access("/var/tmp", os.W_OK) else tempfile.gettempdir()  # noqa: S108 - files have no name
