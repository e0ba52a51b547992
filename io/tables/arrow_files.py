"""Arrow's own files (IPC, Feather), its streams, and Parquet, as batches of some columns. Nothing in them is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from ridgeline.io.errors import InputError
from ridgeline.io.parquet.dataset import footer_at
from ridgeline.io.parquet.files import BUFFER, DAMAGE, STREAMED
from ridgeline.io.parquet.listing import first_line
from ridgeline.io.tables.content import Content, CutOff
from ridgeline.io.tables.reading import Told, Want

CELLS: Final = 4 << 20  # in a batch


def read_ipc(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:
    """Batches of an Arrow file; one that is damaged is left out."""
    _refuse_compressed(content)
    with _telling(content.path):
        schema = pa.ipc.open_file(content.raw).schema
        places = _places(schema, want, content.path)
        file = pa.ipc.open_file(content.raw, options=pa.ipc.IpcReadOptions(included_fields=sorted(places)))
        count = file.num_record_batches
    names = [schema.names[place] for place in places]
    for number in range(count):
        try:
            batch = file.get_batch(number)
            batch.validate(full=True)
        except DAMAGE as error:
            told.lost(
                content.path, f"{content.path}: batch {number} cannot be read, the file is damaged: {first_line(error)}"
            )
            continue
        yield from _pieces(batch.select(names))


def read_stream(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:  # noqa: ARG001 - as all readers
    """Batches of an Arrow stream, compressed or not."""
    try:
        with pa.ipc.open_stream(content.file()) as stream:
            places = _places(stream.schema, want, content.path)
            names = [stream.schema.names[place] for place in places]
            for batch in stream:
                batch.validate(full=True)
                yield from _pieces(batch.select(names))
    except DAMAGE as error:
        raise CutOff(f"{content.path}: cut off or damaged, the rest is left out: {first_line(error)}") from error


def read_parquet(content: Content, want: Want, told: Told) -> Iterator[pa.RecordBatch]:
    """Batches of a Parquet file; of a row group that is damaged, the rest is left out."""
    _refuse_compressed(content)
    with _telling(content.path):
        found = footer_at(content.path, content.filesystem)
        names = [found.schema.names[place] for place in _places(found.schema, want, content.path)]
        large = any(group.size > STREAMED for group in found.footer.groups)
        file = pq.ParquetFile(
            content.path,
            filesystem=content.filesystem,
            metadata=found.metadata,
            buffer_size=BUFFER if large else 0,
        )
    rows = max(CELLS // max(len(names), 1), 1)
    with file:
        for group in found.footer.groups:
            try:
                for batch in file.iter_batches(rows, row_groups=[group.number], columns=names):
                    batch.validate(full=True)
                    yield batch.select(names)
            except DAMAGE as error:
                told.lost(
                    content.path,
                    f"{content.path}: row group {group.number} cannot be read, the file is damaged: {first_line(error)}",
                )


def _places(schema: pa.Schema, want: Want, path: str) -> list[int]:
    """The wanted columns. Raises InputError where a column's name is no UTF-8."""
    try:
        schema.names  # noqa: B018 - reading them is the check
    except UnicodeDecodeError:
        raise InputError(f"{path}: the name of a column is no UTF-8; rename it") from None
    return list(want(schema).places)


@contextmanager
def _telling(path: str) -> Iterator[None]:
    """Turn what Arrow raises over a damaged beginning or end into one sentence."""
    try:
        yield
    except DAMAGE as error:
        raise InputError(f"{path}: not a readable file: {first_line(error)}") from error


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch in pieces of bounded size."""
    rows = max(CELLS // max(batch.num_columns, 1), 1)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _refuse_compressed(content: Content) -> None:
    if content.codec is not None:
        raise InputError(f"{content.path}: such files are compressed inside, and can only be read unpacked: unpack it")
