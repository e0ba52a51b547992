"""Arrow columns as plain arrays: timestamps, values and as_of, copied only where their types ask for it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import DTYPES, nulls, view
from ridgeline.io.epochs import EARLIEST, LATEST, TICKS
from ridgeline.io.matrix import NO_AS_OF

Ints = NDArray[np.int64]
PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def as_of_values(column: pa.ChunkedArray | pa.Array) -> Ints:
    """int64 epoch seconds, NO_AS_OF where null; each number judged by magnitude, left as it is if nothing fits."""
    ticks, absent = ticks_of(column)
    stamped = pa.types.is_timestamp(column.type)
    seconds, known = (ticks, np.zeros(len(ticks), np.bool_)) if stamped else by_magnitude(ticks)
    with np.errstate(invalid="ignore"):
        whole = (
            ticks
            if ticks.dtype == np.int64
            else np.where(np.isfinite(ticks), np.floor(ticks), NO_AS_OF).astype(np.int64)
        )
    seconds = np.where(known, seconds, whole) if known.any() else whole
    return seconds if absent is None else np.where(absent, NO_AS_OF, seconds)


def by_magnitude(numbers: NDArray[Any]) -> tuple[Ints, NDArray[np.bool_]]:
    """Epoch seconds of numbers of unknown units, floored, and where they are times: int64[n], bool[n].

    The rule is that of `ridgeline.io.epochs.seconds_of`, for whole numbers and for floats.
    """
    if numbers.dtype.kind in "iu" and numbers.dtype.itemsize < 8:
        numbers = numbers.astype(np.int64)
    seconds = np.zeros(len(numbers), np.int64)
    sane = np.zeros(len(numbers), np.bool_)
    for ticks, earliest in zip(TICKS, (0, *(EARLIEST * ticks for ticks in TICKS[1:])), strict=True):
        inside = (numbers >= earliest) & (numbers < (LATEST + 1) * ticks) & ~sane
        seconds[inside] = np.floor_divide(numbers[inside], ticks).astype(np.int64)
        sane |= inside
    return seconds, sane


def ticks_of(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Timestamps as int64 (epoch seconds where the type has a unit) or float64, and where they are null."""
    array = one_array(column)
    if pa.types.is_floating(array.type):
        return floats_of(array)
    if pa.types.is_timestamp(array.type):
        ticks = view(array.view(pa.int64()))
    else:
        ticks = _numbers(array, pa.int64()).astype(np.int64, copy=False)
    per_second = PER_SECOND[array.type.unit] if pa.types.is_timestamp(array.type) else 1
    return (ticks if per_second == 1 else ticks // per_second), nulls(array)


def floats_of(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Values as float64, and where they are null."""
    array = one_array(column)
    return _numbers(array, pa.float64()).astype(np.float64, copy=False), nulls(array)


def _numbers(array: pa.Array, other: pa.DataType) -> NDArray[Any]:
    """The array as numpy; what numpy has no type for (decimals, nulls) comes as `other`."""
    return view(array if array.type in DTYPES else array.cast(other, safe=False))


def either(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Where one or the other is set."""
    if one is None or other is None:
        return other if one is None else one
    return one | other


def list_lengths(lists: pa.Array) -> Ints:
    """Length of each list, 0 where null."""
    import pyarrow.compute as pc

    lengths = pc.list_value_length(lists)
    absent, counts = nulls(lengths), view(lengths).astype(np.int64)
    return counts if absent is None else np.where(absent, 0, counts)


def one_array(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array; copied only if it came in several chunks."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.nulls(0, column.type)
    )
