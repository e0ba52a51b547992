"""Parquet as a source of metrics, streamed: memory is that of a few batches of points, whatever the size of the files.

A first pass reads the metric column alone (`catalog`). Where each metric's rows stand together, the second pass reads
the rest batch after batch and hands out the metrics that are complete; otherwise `shuffle` brings them together first.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.catalog import REMEMBERED, Catalog, catalogue
from ridgeline.io.parquet.files import find
from ridgeline.io.parquet.newest import newest_by_statistics
from ridgeline.io.parquet.reader import Reader, matrix_of


class ParquetSource:
    """The metrics of one file, a directory, a glob or a URI; `match` picks by base name."""

    def __init__(
        self,
        path: str | Path,
        *,
        match: Callable[[str], bool] | None = None,
        max_memory: int = 2 << 30,
        chunk_metrics: int = 16_384,
        temporary: Path | None = None,
    ) -> None:
        self.path = str(path)
        self.seconds: dict[str, float] = {"load": 0.0, "decode": 0.0}
        self.bytes_read = 0
        self.clock_skew: float | None = None
        self._reader = Reader(find(path), max_memory, self.seconds)
        self._match = match
        self._max_memory = max_memory
        self._chunk_metrics = chunk_metrics
        self._temporary = temporary
        self._catalog: Catalog | None = None

    @property
    def local_paths(self) -> builtins.list[str]:
        """The files that are read and lie on this machine."""
        return [file.path for file in self._reader.files if file.filesystem is None]

    @property
    def rows(self) -> int:
        """Rows in all files: points, or metrics where columns are lists."""
        return self._reader.rows

    @property
    def columns(self) -> builtins.list[str]:
        """The columns of the first file."""
        return builtins.list(self._reader.files[0].schema.names)

    def list(self) -> builtins.list[str] | None:
        """None: names are not known before the first pass."""
        return None

    def newest(self) -> int | None:
        """The newest sane timestamp: from row-group statistics, or by reading everything where they do not tell."""
        known, newest = newest_by_statistics(self._reader.files)
        if known:
            return newest
        every = ParquetSource(self.path, max_memory=self._max_memory, temporary=self._temporary)
        return max((m.newest for m in every.chunks() if m.newest is not None), default=None)

    def chunks(self) -> Iterator[MetricMatrix]:
        """Matrices of complete metrics, in first-seen order, of at most `chunk_metrics` rows."""
        catalog = self.catalog()
        wanted = self._wanted(catalog)
        if catalog.clustered:
            matrices = self._clustered(catalog, wanted)
        else:
            from ridgeline.io.parquet.shuffle import shuffled

            matrices = shuffled(self._reader, catalog, wanted, self._max_memory, self._temporary)
        for matrix in matrices:
            self.bytes_read += int(matrix.batch.nbytes)
            for start in range(0, max(len(matrix), 1), self._chunk_metrics):
                yield _part(matrix, start, start + self._chunk_metrics)

    def catalog(self) -> Catalog:
        """Names, order and runs of all metrics; read once."""
        if self._catalog is None:
            started = perf_counter()
            self._catalog = catalogue(self._reader.metric_runs(), min(REMEMBERED, self._max_memory // 64))
            self.seconds["load"] += perf_counter() - started
        return self._catalog

    def _wanted(self, catalog: Catalog) -> NDArray[np.bool_] | None:
        """Which metrics match; None: all."""
        if self._match is None:
            return None
        return np.fromiter((self._match(name) for name in catalog.names.to_pylist()), np.bool_, len(catalog.names))

    def _clustered(self, catalog: Catalog, wanted: NDArray[np.bool_] | None) -> Iterator[MetricMatrix]:
        """Complete metrics of each batch; the one that goes on in the next batch waits for its end."""
        starts = catalog.starts
        assert starts is not None
        held: builtins.list[pa.Table] = []

        def any_wanted(start: int, stop: int) -> bool:
            assert wanted is not None
            first, last = np.searchsorted(starts, [start, stop - 1], side="right") - 1
            return bool(wanted[first : last + 1].any())

        for begin, table in self._reader.read(None if wanted is None else any_wanted):
            end = begin + len(table)
            first = int(np.searchsorted(starts, begin, side="right")) - 1
            last = int(np.searchsorted(starts, end, side="right")) - 1  # the first metric that is not complete here
            if starts[first] < begin:  # went on from the batch before
                cut = min(int(starts[first + 1]), end) - begin
                held.append(table.slice(0, cut))
                if starts[first + 1] > end:
                    continue
                yield from self._matrix(pa.concat_tables(held).combine_chunks(), catalog, first, first + 1, wanted)
                held, first = [], first + 1
            if first < last:
                whole = table.slice(int(starts[first]) - begin, int(starts[last] - starts[first]))
                yield from self._matrix(whole, catalog, first, last, wanted)
            if last < len(catalog.names) and starts[last] < end:
                held = [table.slice(int(starts[last]) - begin)]

    def _matrix(
        self, table: pa.Table, catalog: Catalog, first: int, last: int, wanted: NDArray[np.bool_] | None
    ) -> Iterator[MetricMatrix]:
        """The wanted ones of metrics first..last, whose rows are all of `table`."""
        started = perf_counter()
        assert catalog.starts is not None
        starts = catalog.starts[first : last + 1] - catalog.starts[first]
        names = catalog.names.slice(first, last - first)
        if wanted is not None and not wanted[first:last].all():
            keep = wanted[first:last]
            if not keep.any():
                return
            lengths = np.diff(starts)
            table = table.filter(arrow(np.repeat(keep, lengths)))
            names, starts = names.filter(arrow(keep)), np.append(0, np.cumsum(lengths[keep]))
        matrix = matrix_of(table, Runs(names, np.arange(len(names)), starts), self._reader.layout)
        self.seconds["decode"] += perf_counter() - started
        yield matrix


def _part(matrix: MetricMatrix, start: int, stop: int) -> MetricMatrix:
    """Rows start..stop; repairs and newest are told once, with the first part."""
    if start == 0 and stop >= len(matrix):
        return matrix
    part = matrix.slice(start, stop)
    return part if start == 0 else replace(part, repairs={}, newest=None)
