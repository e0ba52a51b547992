"""Tables of labels and of scores, from files and from Python, before anything is read out of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ridgeline.io.errors import InputError


def table_of(data: Any, what: str) -> pa.Table:
    """Whatever speaks Arrow (tables, batches, frames, relations), or a dict of columns, as a table; InputError."""
    try:
        if isinstance(data, pa.Table):
            return data
        if isinstance(data, dict):
            return pa.table(data)
        return pa.table(data)
    except (TypeError, ValueError, pa.ArrowException, AttributeError) as error:
        raise InputError(
            f"{what} are {type(data).__name__}, which is no table: give a path, an Arrow table, a frame or a dict of columns"
        ) from error


def read_table(path: Path, what: str) -> pa.Table:
    """All of a file; columns of a CSV as text, so that names keep their zeros. InputError."""
    from ridgeline.io.tables.files import whole_table

    with _telling(path, what):
        return whole_table(path)


def read_object(path: Path, what: str) -> dict[str, Any] | None:
    """The one JSON object that a file is, however it is called or packed; None where it is anything else. InputError."""
    from ridgeline.io.tables.content import LONGEST, Content
    from ridgeline.io.tables.formats import LINES, format_of

    with _telling(path, what), Content(str(path)) as content:
        if format_of(content.head, str(path)) != LINES or _is_lines(content.head):
            return None
        data, fault = content.whole(LONGEST, "write its windows as CSV or Parquet")
        if fault is not None:
            raise fault
        return dict(json.loads(data))


@contextmanager
def _telling(path: Path, what: str) -> Iterator[None]:
    """Turn what reading raises into one sentence about `what`."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, RecursionError) as error:
        raise InputError(f"{what} cannot be read: {error}") from error
    except InputError as error:
        raise InputError(f"{what} cannot be read: {str(error).removeprefix(f'{path}: ')}") from error


def _is_lines(head: bytes) -> bool:
    """Whether an object ends with the first line, and others follow."""
    first, _, others = head.strip().partition(b"\n")
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(others)


def full_names(table: pa.Table, labels_from: Sequence[str], what: str) -> pa.Array:
    """The metric of each row; those of the labels asked for that the table has are part of it. InputError."""
    names = names_of(table["metric"], what)
    asked = [key for key in labels_from if key in table.column_names]
    if not asked:
        return names
    from ridgeline.io.arrow.buffers import arrow
    from ridgeline.io.arrow.labelled import named
    from ridgeline.io.arrow.labels import labels_of, text_runs

    full = named(text_runs(names), labels_of({key: table[key] for key in asked}, what), {})
    return full.names.take(arrow(np.repeat(full.codes, np.diff(full.starts))))


def column_names(schema: pa.Schema) -> list[str]:
    """Names of columns; those that are no UTF-8 are left out: nobody could ask for them."""
    names = []
    for field in schema:
        try:
            names.append(field.name)
        except UnicodeDecodeError:
            continue
    return names


def names_of(column: pa.ChunkedArray, what: str) -> pa.Array:
    """A column of metrics as text; InputError where one has no name."""
    try:
        names = column.cast(pa.string()).combine_chunks()
    except pa.ArrowException as error:
        raise InputError(f"{what}: the column metric is {column.type}, which holds no names") from error
    if isinstance(names, pa.ChunkedArray):
        names = pa.concat_arrays(names.chunks)
    if names.null_count:
        raise InputError(f"{what}: {names.null_count:,} rows name no metric")
    return names
