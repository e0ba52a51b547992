"""Parquet as a source of metrics, streamed: memory is that of a few batches of points, whatever the size of the files.

A first pass reads the metric column alone (`catalog`). Where each metric's rows stand together, the second pass reads
the rest batch after batch and hands out the metrics that are complete (`clustered`); otherwise `shuffle` brings them
together first. What cannot be read is left out and told; the rest goes on.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.disk.target import check_apart
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.catalog import REMEMBERED, Catalog, catalogue
from ridgeline.io.parquet.clustered import Clustered, unread
from ridgeline.io.parquet.common import Common
from ridgeline.io.parquet.dataset import Dataset, find
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.naming import Naming
from ridgeline.io.parquet.newest import newest_by_statistics
from ridgeline.io.parquet.reader import Reader
from ridgeline.io.parquet.waiting import Left
from ridgeline.io.source import Order, Select

BYTES_PER_HELD_POINT: Final = 200  # of a metric that is put together, cleaned and replayed, in all its forms
LEAST: Final = 1 << 17  # points of one metric that are read however little memory there is


class ParquetSource:
    """The metrics of one file, a directory, a glob or a URI.

    select      picks by base name
    keep        picks row groups beforehand: the files with those that are read
    max_points  of longer series, the newest are read; never more than fit into `max_memory`
    by_name     metrics come in the order of their names, however they lie; otherwise as they are first seen
    labels_from columns or key=value folders that become part of the name, `name{host="web1"}`; None: refuse to merge
    deadline    tells the seconds left, after which waiting for a file ends
    dataset     what was found at `path`, if it was looked for already
    unreadable  (path, sentence) of files and row groups that were left out; complete when `chunks` has ended
    """

    def __init__(  # noqa: PLR0913 - each is one thing that a reader of Parquet may ask for
        self,
        path: str | Path,
        *,
        select: Select | None = None,
        keep: Callable[[Sequence[DataFile]], Sequence[DataFile]] | None = None,
        max_memory: int = 2 << 30,
        max_points: int | None = None,
        labels_from: Sequence[str] | None = None,
        by_name: bool = False,
        chunk_metrics: int = 16_384,
        temporary: Path | None = None,
        deadline: Left | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        self.path = str(path)
        self.seconds: dict[str, float] = {"load": 0.0, "decode": 0.0}
        self.bytes_read = 0
        self.clock_skew: float | None = None
        if dataset is None:
            dataset = find(path, deadline)
        self.dataset = dataset
        self.unreadable = dataset.problems
        files = dataset.files if keep is None else tuple(keep(dataset.files))
        common = Common.of(files)
        self._naming = Naming(files, labels_from, self.path)
        self.reader = Reader(files, common, max_memory, self.seconds, self.unreadable, deadline)
        self.max_memory = max_memory
        self.max_points = most_points(max_memory, max_points)
        self._select = select
        self._by_name = by_name
        self._deadline = deadline
        self._chunk_metrics = chunk_metrics
        self._temporary = temporary
        self._catalog: Catalog | None = None
        self._selected: Catalog | None = None

    @property
    def rows(self) -> int:
        """Rows in all files: points, or metrics where columns are lists."""
        return self.reader.rows

    @property
    def local_paths(self) -> builtins.list[str]:
        """The files that are read and lie on this machine."""
        if self.dataset.origins is not None:
            return builtins.list(self.dataset.origins)
        return [file.path for file in self.reader.files if file.filesystem is None]

    @property
    def metrics(self) -> int:
        """Metrics in all files, whether they are selected or not; asks for the first pass."""
        return len(self.catalog().names)

    @property
    def selected(self) -> Catalog:
        """The catalogue of the metrics that are selected; asks for the first pass."""
        if self._selected is None:
            catalog = self.catalog()
            some = None if self._select is None else self._select(catalog.names.to_pylist())
            selected = catalog if some is None else catalog.only(some)
            self._selected = selected.by_name() if self._by_name else selected
        return self._selected

    @property
    def columns(self) -> builtins.list[str]:
        """The columns of the first file."""
        return builtins.list(self.reader.files[0].schema.names)

    def list(self) -> builtins.list[str] | None:
        """None: names are not known before the first pass."""
        return None

    def arrange(self, order: Order, *, at_once: bool) -> None:
        """Files are read as they lie."""

    def known(self, read: int) -> int | None:
        """How many metrics there are: known from the first one on; to ask before would mean to wait for the first pass."""
        return len(self.selected.names) if read else None

    def keep_apart(self, target: Path) -> None:
        """Raise UnsafeTarget where `target` is one of the files that are read, or would be among them the next time."""
        check_apart(target, self.path, self.local_paths)

    def close(self) -> None:
        """Nothing stays open."""

    def newest(self) -> int | None:
        """The newest sane timestamp: from row-group statistics, or by reading everything where they do not tell."""
        known, newest = newest_by_statistics(self.reader.files)
        if known:
            return newest
        every = ParquetSource(
            self.path, max_memory=self.max_memory, labels_from=(), temporary=self._temporary, deadline=self._deadline,
            dataset=self.dataset,
        )  # fmt: skip
        return max((m.newest for m in every.chunks() if m.newest is not None), default=None)

    def chunks(self) -> Iterator[MetricMatrix]:
        """Matrices of complete metrics, in first-seen order, of at most `chunk_metrics` rows.

        At the end come those of which nothing but the name could be read. Raises InputError if that goes for all.
        """
        catalog = self.selected
        seen: NDArray[np.bool_] = np.zeros(len(catalog.names), np.bool_)
        for matrix in self._matrices(catalog, seen):
            self.bytes_read += int(matrix.batch.nbytes)
            for start in range(0, max(len(matrix), 1), self._chunk_metrics):
                yield _part(matrix, start, start + self._chunk_metrics)
        if self.dataset.repairs:
            yield replace(MetricMatrix.empty(), repairs=self.dataset.repairs)
        if self.reader.unread:
            raise InputError(f"{self.path}: not one row can be read: {self.unreadable[-1][1]}")
        if self.reader.lost:
            yield from unread(catalog.names, ~seen)

    def catalog(self) -> Catalog:
        """Names, order and runs of all metrics; read once."""
        if self._catalog is None:
            started = perf_counter()
            self._catalog = catalogue(self.reader.metric_runs(self._naming), min(REMEMBERED, self.max_memory // 64))
            self.seconds["load"] += perf_counter() - started
        return self._catalog

    def _matrices(self, catalog: Catalog, seen: NDArray[np.bool_]) -> Iterator[MetricMatrix]:
        if catalog.clustered and not self._by_name:
            return Clustered(self.reader, catalog, self.max_points, seen).matrices()
        from ridgeline.io.parquet.shuffle import shuffled

        return shuffled(
            self.reader, self._naming, catalog, seen,
            limit=self.max_points, max_memory=self.max_memory, temporary=self._temporary,
        )  # fmt: skip


def most_points(max_memory: int, max_points: int | None = None) -> int:
    """The points of one metric that may be read: what is asked for, but no more than fit into memory."""
    fit = max(max_memory // BYTES_PER_HELD_POINT, LEAST)
    return fit if max_points is None else min(fit, max_points)


def _part(matrix: MetricMatrix, start: int, stop: int) -> MetricMatrix:
    """Rows start..stop; repairs and newest are told once, with the first part."""
    if start == 0 and stop >= len(matrix):
        return matrix
    part = matrix.slice(start, stop)
    return part if start == 0 else replace(part, repairs={}, newest=None)
