"""The points of files of any format and shape, one file after another. What cannot be read is told; the rest goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa

from ridgeline.io.arrow.apart import Apart, Merging
from ridgeline.io.arrow.buffers import view
from ridgeline.io.arrow.runs import text_of
from ridgeline.io.clean import is_marked
from ridgeline.io.errors import InputError
from ridgeline.io.parquet.listing import Listing, folder_keys, list_files
from ridgeline.io.parquet.naming import refuse_folders
from ridgeline.io.parquet.waiting import Left, ahead, patience
from ridgeline.io.tables.content import Content, CutOff
from ridgeline.io.tables.formats import format_of
from ridgeline.io.tables.point_columns import LONG, one_a_row
from ridgeline.io.tables.points import Place, Plain, Points
from ridgeline.io.tables.readers import READERS, UNTYPED
from ridgeline.io.tables.reading import TEXTS, Told, Wanted
from ridgeline.io.tables.shape import Shape
from ridgeline.io.tables.wide import Wide

LARGEST: Final = 2 << 30  # bytes of points, and of labels, that are held in memory


def points_in(
    listing: Listing, shape: Shape, where: str, told: Told, left: Left | None = None
) -> Iterator[tuple[str, pa.RecordBatch]]:
    """(path, points) of each batch, as `ridgeline.io.tables.points` has them.

    Raises InputError where not one file can be read, where series would merge, or where no file has a label that was
    asked for; SourceUnavailable.
    """
    met, apart = set[str](), Apart(where)
    if shape.labels_from is None:
        chosen = folder_keys(f"{listing.root}/")
        folders = [folder_keys(path) for path in listing.files]
        refuse_folders([{key: keys[key] for key in keys if key not in chosen} for keys in folders], where)
    readable = False
    for path in listing.files:
        wait = patience(left, remote=listing.filesystem is not None)
        batches = _points(listing, shape, Place(path, folder_keys(path), met), apart, told, wait)
        try:
            for batch in ahead(batches, wait, path):
                yield path, batch
            readable = True
        except Merging:
            raise
        except InputError as error:
            readable = readable or isinstance(error, CutOff)
            told.lost(path, str(error))
    if not readable:
        others = f" (and {len(told.problems) - 1} more, none of them readable)" if len(told.problems) > 1 else ""
        raise InputError(told.problems[0][1] + others)
    must_be_met(shape, met, where)


def points_of(table: pa.Table, shape: Shape, where: str) -> pa.Table:
    """The points of a table in memory. Raises InputError."""
    place = Place(where, {})
    found = points_for(shape, place, Apart(where), text=False)
    columns = table.select(list(found.wanted(table.schema).places))
    must_be_met(shape, place.met, where)
    batches = [found.of(batch) for batch in columns.combine_chunks().to_batches()]
    batches += found.rest()
    return pa.Table.from_batches(batches) if batches else LONG.empty_table()


def whole_points(source: str | Path | pa.Table, shape: Shape, where: str) -> pa.Table:
    """Metric, timestamp and value of every point of a path or a table, in memory.

    Raises InputError for any fault, so that none is left out, and for more than memory should hold; SourceUnavailable.
    """
    told, kept, size = Told(), [], 0
    if isinstance(source, pa.Table):
        batches = iter(points_of(source, shape, where).to_batches())
    else:
        batches = (batch for _, batch in points_in(list_files(str(source)), shape, where, told))
    for batch in batches:
        rows, odd = one_a_row(batch)
        told.malformed(odd + int(is_marked(view(rows.column("value"))).sum()))
        size += rows.nbytes
        if size > LARGEST:
            raise InputError(f"{where}: more than {LARGEST >> 30} GiB of points; give a part of its metrics at a time")
        kept.append(rows)
    if told.problems:
        raise InputError(told.problems[0][1])
    if odd := told.repairs.total():
        raise InputError(f"{where}: {odd:,} of its rows are malformed, or hold what is no number and no time")
    return pa.Table.from_batches(kept, LONG)


def points_for(shape: Shape, place: Place, apart: Apart, *, text: bool) -> Points:
    """What makes points of the batches of a file; its cells are `text` where the format has no types."""
    return Wide(shape, place, text=text) if shape.wide else Plain(shape, place, apart, text=text)


def must_be_met(shape: Shape, met: set[str], where: str) -> None:
    """Raise InputError for a label that was asked for and is nowhere."""
    for label in shape.labels_from or ():
        if label not in met:
            raise InputError(f"{where}: no column or folder is called {label}")


def whole_table(path: str | Path) -> pa.Table:
    """All columns of one file, as they are; those of text formats as text. Raises InputError for any fault."""
    told = Told()
    names: list[str] = []

    def everything(schema: pa.Schema) -> Wanted:
        names[:] = schema.names
        return Wanted(range(len(names)), [TEXTS] * len(names))

    with Content(str(path)) as content:
        batches, size = [], 0
        for batch in READERS[format_of(content.head, str(path))](content, everything, told):
            batches.append(batch)
            size += batch.nbytes
            if size > LARGEST:
                raise InputError(f"{path}: it holds more than {LARGEST >> 30} GiB")
    if told.problems:
        raise InputError(told.problems[0][1])
    if malformed := told.repairs.total():
        raise InputError(f"{path}: {malformed:,} of its rows are malformed")
    if not batches:
        return pa.table({name: pa.nulls(0, pa.string()) for name in names})
    tables = [pa.table([_text(column) for column in batch.columns], batch.schema.names) for batch in batches]
    return pa.concat_tables(tables, promote_options="permissive")


def _text(column: pa.Array) -> pa.Array:
    """Bytes as text."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return text_of(column) if pa.types.is_binary(column.type) else column


def _points(
    listing: Listing, shape: Shape, place: Place, apart: Apart, told: Told, wait: Left | None
) -> Iterator[pa.RecordBatch]:
    """The points of one file: the next batch is read while points are made of the one before it."""
    with Content(place.path, listing.filesystem, growing=shape.growing) as content:
        kind = format_of(content.head, place.path)
        found = points_for(shape, place, apart, text=kind in UNTYPED)
        for batch in ahead(READERS[kind](content, found.wanted, told), wait, place.path):
            yield batch if batch.schema.equals(LONG) else found.of(batch)
        yield from found.rest()
