"""Between Arrow arrays and numpy arrays over the same memory, at no cost to a process that has little else to do.

`pa.array`, `pa.scalar` and `Array.to_numpy` import pandas wherever it is installed (0.2 s); every kernel of Arrow's,
`Array.cast`, `take` and `is_null` included, imports pyarrow.compute (0.07 s). Buffers import nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DTYPES: Final[dict[pa.DataType, Any]] = {
    pa.int8(): np.int8, pa.int16(): np.int16, pa.int32(): np.int32, pa.int64(): np.int64,
    pa.uint8(): np.uint8, pa.uint16(): np.uint16, pa.uint32(): np.uint32, pa.uint64(): np.uint64,
    pa.float16(): np.float16, pa.float32(): np.float32, pa.float64(): np.float64,
}  # fmt: skip
TYPES: Final = {np.dtype(dtype): kind for kind, dtype in DTYPES.items()}


def view(array: pa.Array) -> NDArray[Any]:
    """The array's own buffer, read-only; what lies under its nulls is arbitrary."""
    dtype = np.dtype(DTYPES[array.type])
    data = array.buffers()[1] if len(array) else None
    if data is None:
        empty = np.zeros(len(array), dtype)
        empty.flags.writeable = False
        return empty
    seen: NDArray[Any] = np.frombuffer(data, dtype, len(array), array.offset * dtype.itemsize)
    seen.flags.writeable = False
    return seen


def nulls(array: pa.Array) -> NDArray[np.bool_] | None:
    """bool[n], True where the array is null; None if it is nowhere."""
    if not array.null_count:
        return None
    validity = array.buffers()[0]
    return np.ones(len(array), np.bool_) if validity is None else ~_bits(validity, array.offset, len(array))


def valid(array: pa.Array) -> NDArray[np.bool_]:
    """bool[n], True where the array is not null."""
    absent = nulls(array)
    return np.ones(len(array), np.bool_) if absent is None else ~absent


def truths(array: pa.BooleanArray) -> NDArray[np.bool_]:
    """bool[n], True where the array is, False where it is null."""
    if not len(array):
        return np.zeros(0, np.bool_)
    return _bits(array.buffers()[1], array.offset, len(array)) & valid(array)


def _bits(data: pa.Buffer, offset: int, length: int) -> NDArray[np.bool_]:
    """`length` bits of a bitmap from `offset`."""
    first = offset // 8
    octets = np.frombuffer(data, np.uint8, (offset + length + 7) // 8 - first, first)
    return np.unpackbits(octets, bitorder="little")[offset - 8 * first :][:length].view(np.bool_)


def arrow(array: NDArray[Any], absent: NDArray[np.bool_] | None = None) -> pa.Array:
    """The numpy array as an Arrow array over the same memory; null where `absent`."""
    return over(array, None if absent is None else bitmap(~absent))


def over(array: NDArray[Any], validity: pa.Buffer | None) -> pa.Array:
    """The numpy array as an Arrow array over the same memory, with a bitmap of what is not null."""
    array = np.ascontiguousarray(array)
    if array.dtype == np.bool_:
        kind, data = pa.bool_(), pa.py_buffer(np.packbits(array, bitorder="little"))
    else:
        kind, data = TYPES[array.dtype], pa.py_buffer(array)
    return pa.Array.from_buffers(kind, len(array), [validity, data])


def bitmap(present: NDArray[np.bool_]) -> pa.Buffer | None:
    """The bits of bool[n] as Arrow keeps what is not null; None where all are set."""
    return None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))


def truth_arrays(values: NDArray[np.bool_], present: NDArray[np.bool_]) -> list[pa.Array]:
    """One Arrow array for each row of bool[k, n]; null where it is not present, bool[k, n]."""
    bits, known = (np.packbits(rows, axis=1, bitorder="little") for rows in (values, present))
    whole = np.logical_and.reduce(present, axis=1)
    return [
        pa.Array.from_buffers(pa.bool_(), values.shape[1], [None if full else pa.py_buffer(some), pa.py_buffer(truth)])
        for truth, some, full in zip(bits, known, whole, strict=True)
    ]


def strings(texts: Iterable[str | None]) -> pa.StringArray:
    """Python strings as an Arrow array; lone surrogates are escaped."""
    raw = [None if text is None else text.encode("utf-8", "backslashreplace") for text in texts]
    offsets = np.zeros(len(raw) + 1, np.int32)
    np.cumsum([0 if text is None else len(text) for text in raw], out=offsets[1:])
    absent = np.array([text is None for text in raw], np.bool_)
    valid = pa.py_buffer(np.packbits(~absent, bitorder="little")) if absent.any() else None
    data = pa.py_buffer(b"".join([text for text in raw if text is not None]))
    return pa.Array.from_buffers(pa.string(), len(raw), [valid, pa.py_buffer(offsets), data])
