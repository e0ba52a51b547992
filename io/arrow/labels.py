"""Label columns: what tells series of one name apart. They become part of the name, or merging is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.apart import REMEDY, Apart, Merging
from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.columns import list_lengths, one_array
from ridgeline.io.arrow.labelled import named
from ridgeline.io.arrow.layout import NEEDED, is_text, text_within
from ridgeline.io.arrow.runs import Runs, runs_of
from ridgeline.io.errors import InputError

TAKEN: Final = (*NEEDED, "as_of")  # columns that are no labels
MOST: Final = 1000  # different labels in one column of maps


def label_columns(schema: pa.Schema, where: str, taken: Sequence[str] = TAKEN) -> list[str]:
    """The columns of text beside those that are `taken`: any of them may tell series apart.

    Raises InputError for text within lists, maps and structs, which may do so too.
    """
    others = [field for field in schema if field.name not in taken]
    for field in others:
        if not is_text(field.type) and text_within(field.type):
            nested = _has_labels(field.type)
            remedy = REMEDY.format(names=field.name if nested else "their columns")
            first = "" if nested else "write its labels as columns of text and "
            raise Merging(
                f"{where}: column {field.name} holds {field.type}, which may tell series of one name apart: {first}{remedy}"
            )
    return [field.name for field in others if is_text(field.type)]


def named_runs(table: pa.Table, metric: Runs, asked: Sequence[str] | None, where: str) -> Runs:
    """The runs of a whole table by their full names; or by their plain ones, if no series would merge."""
    if asked is None:
        Apart(where).see(metric, {key: text_runs(table.column(key)) for key in label_columns(table.schema, where)})
        return metric
    for key in asked:
        check_label(key, [table.schema.field(key).type] if key in table.schema.names else [], where)
    return named(metric, labels_of({key: table.column(key) for key in asked}, where), {}) if asked else metric


def check_label(
    key: str, kinds: Sequence[pa.DataType], where: str, *, elsewhere: bool = False, taken: Sequence[str] = TAKEN
) -> None:
    """Raise InputError where no column can be this label; `elsewhere`: something else may be."""
    if key in taken:
        raise InputError(f"{where}: {key} cannot be a label")
    if not kinds and not elsewhere:
        raise InputError(f"{where}: no column or folder is called {key}")
    for kind in kinds:
        _must_be_plain(key, kind, where)


def labels_of(columns: Mapping[str, pa.ChunkedArray | pa.Array], where: str) -> dict[str, Runs]:
    """The runs of each label: of columns of plain values, and of each member of structs and maps by its own name."""
    found: dict[str, Runs] = {}
    for key, column in columns.items():
        for name, values in _flattened(key, one_array(column), where):
            if name in found:
                raise InputError(
                    f"{where}: label {name} comes from two columns, {key} and another; ask for one of them"
                )
            found[name] = text_runs(values)
    return found


def _must_be_plain(key: str, kind: pa.DataType, where: str) -> None:
    if kind.num_fields and not _has_labels(kind):
        raise InputError(f"{where}: column {key} holds {kind}; a label must be a plain value, a struct or a map")


def _has_labels(kind: pa.DataType) -> bool:
    return bool(pa.types.is_struct(kind) or pa.types.is_map(kind))


def _flattened(key: str, column: pa.Array, where: str) -> Iterator[tuple[str, pa.Array]]:
    """(name, values) of each label that a column holds."""
    if pa.types.is_struct(column.type):
        for at, inner in enumerate(column.flatten()):
            yield from _flattened(column.type.field(at).name, inner, where)
    elif pa.types.is_map(column.type):
        column.validate(full=True)
        pair = pa.struct([pa.field("key", column.type.key_type, nullable=False), ("value", column.type.item_type)])
        lists = column.cast(pa.list_(pair))
        rows = np.repeat(np.arange(len(column)), list_lengths(lists))
        entries = lists.flatten()  # of null maps, none
        names, values = entries.field(0), entries.field(1)
        owners = runs_of([names if is_text(names.type) else names.cast(pa.string())], np.arange(len(names) + 1))
        if len(owners.names) > MOST:
            raise InputError(f"{where}: column {key} holds more than {MOST:,} different labels; make columns of some")
        for code, name in enumerate(owners.names.to_pylist()):
            entry = np.flatnonzero(owners.codes == code)
            places = np.full(len(column), -1, np.int64)
            places[rows[entry]] = entry
            yield from _flattened(name, values.take(arrow(places, places < 0)), where)
    else:
        _must_be_plain(key, column.type, where)
        yield key, column


def text_runs(column: pa.ChunkedArray | pa.Array) -> Runs:
    """The runs of a label column; what is no text is shown as text."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    return runs_of([chunk if is_text(chunk.type) else chunk.cast(pa.string()) for chunk in chunks])
