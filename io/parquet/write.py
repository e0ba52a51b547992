"""Writing Parquet: streamed, whole or not at all, and a full disk is one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.disk.atomic import write_atomic

ROWS_PER_GROUP: Final = 1 << 20
COMPRESSION: Final = "zstd"


def write_parquet(
    data: pa.Table | pa.RecordBatch | Iterable[pa.RecordBatch],
    path: str | Path,
    *,
    schema: pa.Schema | None = None,
    dictionary: Sequence[str] | None = None,
) -> int:
    """Write a table, a batch or a stream of batches, and return the number of rows.

    The file appears when all is written; until then, and after any error, the old one stays as it was. Small batches
    are gathered into row groups of about a million rows. `schema` is needed for a stream that may be empty. `dictionary`
    names the columns to dictionary-encode; by default those that hold text. Raises OutputError if it cannot be written.
    """
    batches, schema = _stream(data, schema)
    encoded = [field.name for field in schema if _is_text(field.type)] if dictionary is None else list(dictionary)
    rows = 0

    def content(file: BinaryIO) -> None:
        nonlocal rows
        with pq.ParquetWriter(file, schema, compression=COMPRESSION, use_dictionary=encoded or False) as writer:
            for table in _gathered(batches, schema):
                writer.write_table(table, row_group_size=ROWS_PER_GROUP)
                rows += table.num_rows

    write_atomic(Path(path), content)
    return rows


def _stream(data: Any, schema: pa.Schema | None) -> tuple[Iterator[pa.RecordBatch], pa.Schema]:
    """The data as batches, and their schema."""
    if isinstance(data, pa.Table):
        return iter(data.to_batches()), data.schema
    if isinstance(data, pa.RecordBatch):
        return iter([data]), data.schema
    batches = iter(data)
    if schema is not None:
        return batches, schema
    first = next(batches, None)
    assert first is not None, "an empty stream needs a schema"
    return _chained(first, batches), first.schema


def _chained(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _gathered(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Batches put together until they make a row group."""
    pending: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        pending.append(batch)
        rows += batch.num_rows
        if rows >= ROWS_PER_GROUP:
            yield pa.Table.from_batches(pending, schema)
            pending, rows = [], 0
    if pending:
        yield pa.Table.from_batches(pending, schema)


def _is_text(kind: pa.DataType) -> bool:
    return any((pa.types.is_string(kind), pa.types.is_large_string(kind), pa.types.is_dictionary(kind)))
