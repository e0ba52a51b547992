"""Columns of Python values as Arrow arrays, None for null, made of buffers: `pa.array` imports pandas wherever it is installed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.buffers import arrow


def floats(values: Sequence[float | None]) -> pa.Array:
    """Numbers as float64[n]."""
    return _column(values, 0.0, np.float64)


def integers(values: Sequence[int | None], dtype: Any = np.int64) -> pa.Array:
    """Whole numbers as `dtype`[n]."""
    return _column(values, 0, dtype)


def booleans(values: Sequence[bool | None]) -> pa.Array:
    """Truths as bool[n]."""
    return _column(values, False, np.bool_)


def lists(items: Callable[[list[Any]], pa.Array], values: Sequence[Sequence[Any] | None]) -> pa.ListArray:
    """Sequences as a list array, whose items `items` makes of all of them on end."""
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([0 if value is None else len(value) for value in values], out=offsets[1:])
    child = items(list(chain.from_iterable(value for value in values if value is not None)))
    absent = np.array([value is None for value in values], np.bool_)
    valid = pa.py_buffer(np.packbits(~absent, bitorder="little")) if absent.any() else None
    return pa.Array.from_buffers(pa.list_(child.type), len(values), [valid, pa.py_buffer(offsets)], children=[child])


def _column(values: Sequence[Any], filler: Any, dtype: Any) -> pa.Array:
    absent = np.array([value is None for value in values], np.bool_)
    return arrow(np.array([filler if value is None else value for value in values], dtype), absent)
