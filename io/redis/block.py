"""Rows being decoded straight from the wire, until they make a block worth judging at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.redis.arena import Arena
from ridgeline.io.redis.rooms import Columns, Rooms, fresh
from ridgeline.io.redis.wire import Wire
from ridgeline.kernels.decode.layout import (
    ABSENT,
    AT,
    HAVE,
    KINDS,
    LIMIT,
    NEED,
    NESTING,
    ROW,
    SHORTEST_SIZE,
    STATE,
    STOP,
)
from ridgeline.kernels.native import loader

ROWS: Final = 1000  # of a block, at most: judging costs so much a call that fewer would cost more each
POINTS: Final = 1 << 19  # of a block, unless its only row has more

# For `sizes`, beside ABSENT, which MGET says of keys of another type too.
TOO_LONG: Final = -2
WRONG_TYPE: Final = -3


class Block:
    """Values of the keys `first`, `first + 1`, ..., as columns; `limit`: bytes of the longest value to accept.

    `rooms`: where there is memory for the points of most; else it is fresh.

    sizes       int64[rows]: bytes of each value, or ABSENT, TOO_LONG, WRONG_TYPE
    offsets     int64[rows + 1]; timestamps int64[N] in whatever unit was stored, bits int64[N]: those of float64
    dropped     int64[rows, len(KINDS)]: objects that are no points; disordered, integers uint8[rows], as the entry `decode`
    born        when it was begun, on the monotonic clock
    """

    def __init__(self, first: int, limit: int, rooms: Rooms | None = None) -> None:
        self.first, self.born, self.seconds = first, time.monotonic(), 0.0
        self.offsets, self.sizes = np.zeros(ROWS + 1, np.int64), np.empty(ROWS, np.int64)
        self.dropped = np.empty((ROWS, len(KINDS)), np.int64)
        self.disordered, self.integers = np.empty(ROWS, np.uint8), np.empty(ROWS, np.uint8)
        self._state, self._stack = np.zeros(STATE, np.int64), np.empty(NESTING, np.int64)
        self._state[LIMIT] = limit
        self._room(fresh(POINTS) if rooms is None else rooms.take(POINTS))

    def __len__(self) -> int:
        return int(self._state[ROW])

    @property
    def full(self) -> bool:
        """Whether it has no room for another row."""
        return len(self) == len(self.sizes)

    @property
    def need(self) -> int:
        """Bytes of the next value with what frames it, as far as `take` found out."""
        return int(self._state[NEED])

    def take(self, wire: Wire, rows: int) -> int:
        """Decode what lies whole on the wire of the next `rows` values, as far as there is room; the entry's status.

        FULL means the columns of points.
        """
        began, state = time.perf_counter(), self._state
        if wire.arena.data is not self._bound_to:
            self._bind(wire.arena)
        state[AT], state[HAVE] = wire.at, wire.have
        state[STOP] = min(len(self) + rows, len(self.sizes))
        status = self._decode()
        wire.at = int(state[AT])
        self.seconds += time.perf_counter() - began
        return status

    def refuse(self) -> None:
        """Let the next row have no points, for its value is too long."""
        row = len(self)
        self.sizes[row] = TOO_LONG
        self.dropped[row] = self.disordered[row] = self.integers[row] = 0
        self.offsets[row + 1] = self.offsets[row]
        self._state[ROW] += 1

    def cut(self, rows: int) -> None:
        """Forget all but the first `rows` rows."""
        self._state[ROW] = rows

    def widen(self) -> None:
        """Make room for the points of the next value; only while there is no row."""
        self._room(fresh(self.need // SHORTEST_SIZE + 1))

    @property
    def bytes_read(self) -> int:
        """Bytes of all values."""
        sizes = self.sizes[: len(self)]
        return int(sizes[sizes > 0].sum())

    def absent(self) -> NDArray[np.intp]:
        """The rows whose keys have no value that MGET would give."""
        return np.flatnonzero(self.sizes[: len(self)] == ABSENT)

    def _room(self, columns: Columns) -> None:
        self.timestamps, self.bits = columns
        self._bound_to: Any = None
        self._decode: Callable[[], int]

    def _bind(self, arena: Arena) -> None:
        self._bound_to = arena.data
        self._decode = loader.entry("decode").bound(
            arena.data, self._state, self.timestamps, self.bits, self.offsets, self.sizes, self.dropped,
            self.disordered, self.integers, self._stack,
        )  # fmt: skip
