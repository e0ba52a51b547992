"""Python values of any kinds as Arrow columns: of the type that fits them all, else as cells of text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.text import encodable

NESTED: Final = "[...]"  # what stands for what is nested beyond measure
REFUSED: Final = (pa.ArrowException, OverflowError, ValueError)


def kind_of(values: Sequence[Any]) -> pa.DataType:
    """The type that fits all; text where none does."""
    try:
        return pa.array(values).type
    except REFUSED:
        return pa.string()


def column_of(values: Sequence[Any]) -> pa.Array:
    """The values as an array. Objects are maps of text, in which a label may be whatever it likes."""
    there = [value for value in values if value is not None]
    if there and all(isinstance(value, dict) for value in there):
        pairs = [_pairs(value) if isinstance(value, dict) else None for value in values]
        return pa.array(pairs, pa.map_(pa.string(), pa.string()))
    try:
        return pa.array(values)
    except REFUSED:
        return strings(_text(value) for value in values)


def lists_of(values: Sequence[list[Any]]) -> pa.Array:
    """Lists of values of any kinds as an array of lists."""
    ends = np.append(0, np.cumsum([len(value) for value in values]))
    return pa.LargeListArray.from_arrays(arrow(ends), column_of([inner for value in values for inner in value]))


def shown(text: str) -> str:
    """Text that UTF-8 can carry: bytes that were none are shown as escapes, and so are halves of characters."""
    try:
        return text.encode("utf-8", "surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:
        return encodable(text)


def _pairs(value: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(shown(key), _text(inner)) for key, inner in value.items()]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else shown(value)
    try:
        return json.dumps(value, sort_keys=True)
    except RecursionError:
        return NESTED
