"""Cuts a dataset into parts: whole metrics, in first-seen order, of about equal size.

The cut depends on the data alone, never on threads or workers, and so do the names and bytes of what is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.arrow.runs import runs_of
from ridgeline.io.parquet.files import DataFile

TARGET_POINTS: Final = 1 << 20
COLUMNS: Final = ("metric", "timestamp", "value")


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows `start:stop` of one row group of one file; `metric` where the file's folder names it."""

    path: str
    row_group: int
    start: int
    stop: int
    metric: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Whole metrics whose rows lie in `pieces`, in order; `rows` is the length of them all.

    `filesystem` is pyarrow's, None for local files; it travels to workers with the part.
    """

    number: int
    rows: int
    pieces: tuple[Piece, ...]
    filesystem: Any = None

    @property
    def file_name(self) -> str:
        """Name of the part's file of scores."""
        return f"part-{self.number:05d}.parquet"


@dataclass(frozen=True, slots=True)
class Layout:
    """What a scan of the metric column found.

    `parts` is None when the dataset is not clustered: some metric's rows lie in more than one place.
    `unreadable` names the row groups that could not be read, each with its reason.
    """

    parts: tuple[Part, ...] | None
    rows: int
    metrics: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Consecutive rows of one metric, over as many row groups as they span."""

    pieces: list[Piece]
    rows: int
    points: float


def scan(files: Sequence[DataFile], target: int = TARGET_POINTS) -> Layout:
    """Read the metric column of `files`, in the order given, and cut the rows into parts of at least `target` points."""
    stretches: list[_Stretch] = []
    seen: dict[str, None] = {}
    unreadable: list[str] = []
    last: str | None = None
    clustered, rows = True, 0
    for piece, name, points in _stretches(files, unreadable):
        length = piece.stop - piece.start
        rows += length
        if name is None:  # points without a name belong to no metric
            continue
        if name == last:
            previous = stretches[-1]
            stretches[-1] = _Stretch([*previous.pieces, piece], previous.rows + length, previous.points + points)
            continue
        clustered = clustered and name not in seen
        seen[name] = None
        last = name
        stretches.append(_Stretch([piece], length, points))
    filesystem = files[0].filesystem if files else None
    parts = tuple(_cut(stretches, target, filesystem)) if clustered else None
    return Layout(parts, rows, len(seen), tuple(unreadable))


def _stretches(files: Sequence[DataFile], unreadable: list[str]) -> Iterator[tuple[Piece, str | None, float]]:
    for file in files:
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if not rows:
                continue
            points = _points_per_row(file, group)
            if file.metric is not None:
                name = file.metric[0].as_py()
                yield Piece(file.path, group, 0, rows, name), name, points * rows
                continue
            try:
                metrics = _open(file.path, file.filesystem).read_row_group(group, columns=["metric"]).column(0)
            except (OSError, pa.ArrowException) as error:
                unreadable.append(f"{file.path}, row group {group}: {error}")
                continue
            runs = runs_of(metrics.chunks)
            names = runs.names.to_pylist()
            for code, start, stop in zip(runs.codes, runs.starts[:-1], runs.starts[1:], strict=True):
                piece = Piece(file.path, group, int(start), int(stop))
                yield piece, None if code < 0 else names[code], points * float(stop - start)


def _points_per_row(file: DataFile, group: int) -> float:
    """One where a row is a point; on average the length of the lists where a row is a metric."""
    if not file.layout.lists:
        return 1.0
    meta = file.metadata.row_group(group)
    values = [meta.column(k) for k in range(meta.num_columns) if meta.column(k).path_in_schema.startswith("value.")]
    points: float = values[0].num_values / meta.num_rows
    return points


def _open(path: str, filesystem: Any) -> pq.ParquetFile:
    return pq.ParquetFile(path, filesystem=filesystem, read_dictionary=["metric"])


def _cut(stretches: Sequence[_Stretch], target: int, filesystem: Any) -> Iterator[Part]:
    pieces: list[Piece] = []
    rows, points, number = 0, 0.0, 0
    for stretch in stretches:
        pieces += stretch.pieces
        rows += stretch.rows
        points += stretch.points
        if points >= target:
            yield Part(number, rows, _joined(pieces), filesystem)
            pieces, rows, points, number = [], 0, 0.0, number + 1
    if pieces:
        yield Part(number, rows, _joined(pieces), filesystem)


def _joined(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """Neighbouring pieces of one row group as one."""
    joined: list[Piece] = []
    for piece in pieces:
        before = joined[-1] if joined else None
        if before and (before.path, before.row_group, before.stop) == (piece.path, piece.row_group, piece.start):
            joined[-1] = Piece(piece.path, piece.row_group, before.start, piece.stop, piece.metric)
        else:
            joined.append(piece)
    return tuple(joined)


def read_part(part: Part) -> tuple[pa.Table, tuple[str, ...]]:
    """The part's rows (metric, timestamp, value) and the pieces that could not be read, each with its reason."""
    tables: list[pa.Table] = []
    unreadable: list[str] = []
    opened: dict[str, pq.ParquetFile] = {}
    for piece in part.pieces:
        try:
            if piece.path not in opened:
                opened[piece.path] = _open(piece.path, part.filesystem)
            table = opened[piece.path].read_row_group(piece.row_group, columns=list(COLUMNS))
        except (OSError, pa.ArrowException) as error:
            unreadable.append(f"{piece.path}, row group {piece.row_group}: {error}")
            continue
        table = table.slice(piece.start, piece.stop - piece.start)
        if piece.metric is not None:
            table = table.append_column("metric", pa.repeat(piece.metric, table.num_rows))
        tables.append(table.select(COLUMNS))
    if not tables:
        empty = pa.table(
            {"metric": pa.array([], pa.string()), "timestamp": np.empty(0, np.int64), "value": np.empty(0)}
        )
        return empty, tuple(unreadable)
    return pa.concat_tables(tables, promote_options="permissive"), tuple(unreadable)
