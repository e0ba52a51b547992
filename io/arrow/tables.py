"""Whatever speaks Arrow, as a pyarrow Table: frames, batches, readers, relations, dicts of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.errors import InputError

ACCEPTED: Final = "give a pyarrow Table or RecordBatch, a polars or pandas frame, or a dict of columns"


def table_of(source: Any) -> pa.Table:
    """The table, its columns not copied where its library allows. Lazy frames are collected.

    Raises InputError with one sentence for what is no table, or cannot become one.
    """
    if isinstance(source, pa.Table):
        table = source
    else:
        kind = f"{type(source).__module__}.{type(source).__qualname__}"
        try:
            table = _converted(source)
        except MemoryError:
            raise
        except Exception as error:  # each library raises its own
            said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            raise InputError(f"cannot read {kind} as a table: {said}; {ACCEPTED}") from error
        if not isinstance(table, pa.Table):
            raise InputError(f"cannot read {kind} as a table; {ACCEPTED}")
    try:
        table.schema.names  # noqa: B018 - reading them is the check
    except UnicodeDecodeError:
        raise InputError("the table: the name of a column is no UTF-8; rename it") from None
    return table


def _converted(source: Any) -> Any:
    """What the source makes of itself; None where it does not speak Arrow."""
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, Mapping):
        return pa.table(dict(source))
    if not _exports(source) and hasattr(source, "collect"):  # a lazy frame
        source = source.collect()
    if hasattr(source, "to_arrow"):
        return source.to_arrow()
    if _exports(source):
        return pa.table(source)
    return source.arrow() if hasattr(source, "arrow") else None  # DuckDB's relations, before they spoke Arrow's own way


def _exports(source: Any) -> bool:
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")
