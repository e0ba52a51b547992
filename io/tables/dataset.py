"""From a path to a source of metrics, whatever the format and the shape of its files: the one place that says how."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from ridgeline.io.arrow.layout import is_text, is_whole
from ridgeline.io.errors import InputError, RidgelineError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.dataset import find, footer_at
from ridgeline.io.parquet.files import DAMAGE
from ridgeline.io.parquet.footer import MAGIC
from ridgeline.io.parquet.listing import Listing, list_files
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.waiting import Left
from ridgeline.io.source import Select
from ridgeline.io.tables.formats import CSV, PARQUET, format_of, kind_of
from ridgeline.io.tables.shape import PLAIN, Shape


def open_dataset(
    path: str | Path,
    shape: Shape = PLAIN,
    *,
    select: Select | None = None,
    max_memory: int = 2 << 30,
    max_points: int | None = None,
    chunk_metrics: int = 16_384,
    temporary: Path | None = None,
    deadline: Left | None = None,
) -> ParquetSource:
    """The metrics of a file, a folder, a glob or a URI; all but `shape` as for `ParquetSource`.

    Parquet whose columns need no more than other names is read as it lies; all else is copied into that form first. Raises
    InputError for what cannot be read, SourceUnavailable where nobody answers, OutputError where there is no room.
    """
    listing = list_files(str(path), deadline)
    if direct := _as_it_lies(listing, shape):
        dataset = find(path, deadline, shape, listing)
    else:
        from ridgeline.io.tables.staging import staged

        dataset = staged(listing, shape, str(path), deadline)
    return ParquetSource(
        path,
        select=select,
        max_memory=max_memory,
        max_points=max_points,
        labels_from=shape.labels_from if direct else None,
        chunk_metrics=chunk_metrics,
        temporary=temporary,
        deadline=deadline,
        dataset=dataset,
    )


def matrix_of(data: Any, shape: Shape = PLAIN, where: str = "the table") -> MetricMatrix:
    """The metrics of a table in memory, of whatever speaks Arrow. Raises InputError."""
    from ridgeline.io.arrow.tables import table_of

    table = table_of(data)
    if not shape.wide and shape.metric is None and not shape.columns and _plain(table.schema, shape):
        return MetricMatrix.from_table(table, shape.labels_from)
    from ridgeline.io.tables.files import points_of

    return MetricMatrix.from_table(points_of(table, shape, where))


def is_parquet(path: str | Path) -> bool:
    """Whether a file of this machine is Parquet: by its first bytes, or, where they say nothing, by its name."""
    try:
        with Path(path).open("rb") as file:
            if file.read(len(MAGIC)) == MAGIC:
                return True
    except OSError:
        return kind_of(str(path)) == PARQUET
    if kind_of(str(path)) != PARQUET:
        return False
    try:
        head = _head(str(path))
        return format_of(head, str(path)) == CSV and not _is_table(head)
    except RidgelineError:
        return True  # what is wrong with it is said when it is read


def _as_it_lies(listing: Listing, shape: Shape) -> bool:
    """Whether all files are Parquet whose columns need no more than other names."""
    if shape.wide or not all(_says_parquet(path, listing) for path in listing.files):
        return False
    for path in listing.files:
        try:
            return _plain(footer_at(path, listing.filesystem).schema, shape)
        except (*DAMAGE, RidgelineError):
            continue
    return True


def _says_parquet(path: str, listing: Listing) -> bool:
    if listing.filesystem is None:
        return Path(path).is_file() and is_parquet(path)
    if kind_of(path) is not None:
        return kind_of(path) == PARQUET
    return _head(path, listing.filesystem).startswith(MAGIC)


def _head(path: str, filesystem: Any = None) -> bytes:
    """The beginning of a file, no longer compressed."""
    from ridgeline.io.tables.content import Content

    with Content(path, filesystem) as content:
        return content.head


def _is_table(head: bytes) -> bool:
    """Whether text looks like CSV: its first line names columns."""
    first, ended, _ = head.partition(b"\n")
    return bool(ended) and b"," in first


def _plain(schema: pa.Schema, shape: Shape) -> bool:
    """Whether metrics are no numbers, times no texts or dates, labels no structs or maps, and no column must give its name away."""
    try:
        names = schema.names
    except UnicodeDecodeError:
        raise InputError("the table: the name of a column is no UTF-8; rename it") from None
    for role in ("timestamp", "as_of"):
        at = schema.get_field_index(shape.column(role))
        kind = pa.null() if at < 0 else schema.field(at).type
        inner = getattr(kind, "value_type", kind)
        if not pa.types.is_null(kind) and (is_text(kind) or is_text(inner) or pa.types.is_date(inner)):
            return False
    at = schema.get_field_index(shape.column("metric"))
    if at >= 0 and is_whole(schema.field(at).type):
        return False
    labels = [schema.get_field_index(label) for label in shape.labels_from or ()]
    if any(at >= 0 and schema.field(at).type.num_fields for at in labels):
        return False
    return not any(role in names and column != role for role, column in shape.columns.items())
