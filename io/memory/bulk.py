"""Arrays from and to an open file, whole."""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterator
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.hashing import MULTIPLIER, WORD

# A call costs what copying this many bytes costs (5 us here): rows that did not change are written along across such gaps.
CALL: Final = 1 << 16
LANES: Final = 1 << 13


def read_array(descriptor: int, at: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """What lies `at` so many bytes from the start, in memory of our own. Raises OSError, also where the file ends within."""
    found = np.empty(shape, dtype)
    rest = found.reshape(-1).view(np.uint8).data
    while rest:
        got = os.preadv(descriptor, [rest], at)
        if not got:
            raise OSError("the file ends too early")
        rest, at = rest[got:], at + got
    return found


def map_array(descriptor: int, at: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """What lies `at` a multiple of pages, mapped and read-only: read when it is looked at. Raises OSError."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(descriptor, size, mmap.MAP_SHARED, mmap.PROT_READ, offset=at), dtype).reshape(shape)


def work_array(descriptor: int, at: int, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """What lies `at` a multiple of pages, mapped so that what is changed is changed for us alone. Raises OSError."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY, offset=at), dtype).reshape(shape)


def write_array(descriptor: int, at: int, values: NDArray[Any]) -> None:
    """Write all of it. Raises OSError."""
    rest = np.ascontiguousarray(values).reshape(-1).view(np.uint8).data
    while rest:
        done = os.pwrite(descriptor, rest, at)
        rest, at = rest[done:], at + done


def write_rows(descriptor: int, at: int, rows: NDArray[np.int64], values: NDArray[np.uint8], *, whole: bool) -> None:
    """Write rows, ascending, into the section that begins `at`, as `row_parts` says. Raises OSError."""
    for place, part in row_parts(at, rows, values, whole=whole):
        write_array(descriptor, place, part)


def row_parts(
    at: int, rows: NDArray[np.int64], values: NDArray[np.uint8], *, whole: bool
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Rows, ascending, of the section that begins `at`, in parts that lie together: (where, what).

    whole   `values` has every row of the section, and those in small gaps are written along; else one for each of `rows`
    """
    width = values.shape[1]
    for first, last in spans(rows, CALL // width if whole else 1):
        part = values[rows[first] : rows[last] + 1] if whole else values[first : last + 1]
        yield at + int(rows[first]) * width, part


def spans(rows: NDArray[np.int64], step: int) -> Iterator[tuple[int, int]]:
    """First and last place of each stretch of ascending rows of which none is more than `step` beyond the one before.

    >>> list(spans(np.array([1, 2, 3, 7, 8]), 1))
    [(0, 2), (3, 4)]
    """
    if not len(rows):
        return
    breaks = np.flatnonzero(np.diff(rows) > step)
    yield from zip([0, *(breaks + 1).tolist()], [*breaks.tolist(), len(rows) - 1], strict=True)


def checksum(*arrays: NDArray[Any]) -> int:
    """A checksum of all their bytes, 32 bits.

    Of what is larger than `LANES` words, that is first folded: lane by lane, folded = folded MULTIPLIER + word. CRC-32
    alone takes five times as long for what comes from memory.
    """
    found = 0
    for array in arrays:
        raw = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        whole = len(raw) // (WORD * LANES) * (WORD * LANES)
        if whole:
            folded = np.zeros(LANES, np.uint64)
            for words in raw[:whole].view(np.uint64).reshape(-1, LANES):
                folded *= MULTIPLIER
                folded += words
            found = crc32(folded.data, found)
        found = crc32(raw[whole:].data, found)
    return found
