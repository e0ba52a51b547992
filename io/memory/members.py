"""The metrics of a memory as members of sets that siblings read: `['name', timestamp]`, framed without an object for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.keys import Keys
from ridgeline.io.redis.frames import bulks
from ridgeline.io.text import encodable
from ridgeline.kernels.native.loader import entry

ENTRY: Final = "members"
ROOM: Final = 256 * 1024  # bytes of members that are framed at once


def member(metric: str, timestamp: int) -> str:
    """The text of the Python list that siblings read."""
    return f"[{metric!r}, {timestamp}]"


def framed_pairs(pairs: Sequence[tuple[str, int]], most: int) -> Iterator[tuple[int, bytes]]:
    """(how many, their bytes) of the members of (metric, timestamp), `most` at a time at the most."""
    for first in range(0, len(pairs), most):
        some = [encodable(member(*pair)) for pair in pairs[first : first + most]]
        yield len(some), bulks(some)


def framed(
    keys: Keys, rows: NDArray[np.int64], skip: int, timestamps: NDArray[np.int64], most: int
) -> Iterator[tuple[int, bytes]]:
    """(how many, their bytes) of the members of rows int64[m], `most` at a time at the most.

    skip: bytes of each key before the name, which is UTF-8; timestamps int64[m]: epoch seconds.
    """
    out, written, done = np.empty(ROOM, np.uint8), np.zeros(1, np.int64), 0
    while done < len(rows):
        some = slice(done, done + most)
        count = int(entry(ENTRY)(keys.data, keys.offsets, rows[some], skip, timestamps[some], out, written))
        if count:
            yield count, out[: int(written[0])].tobytes()
        else:  # a name that needs more than quotes, or a very long one
            (name,) = keys.names_of(rows[done : done + 1], skip)
            yield 1, bulks([member(name, int(timestamps[done]))])
        done += max(count, 1)
