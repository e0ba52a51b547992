"""Long series cut into spans for threads, and the room that one thread needs for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.replay.layout import (
    BLOCK,
    BLOCK_FLOATS,
    BLOCK_INTEGERS,
    CHUNK_INTEGERS,
    CHUNK_PLACES,
    RADIX,
    WIDTH,
    block_of,
    chunk_room,
    scratch_room,
)

# A span for one thread: long against the window that it has to take up again, short against a long series.
SPAN_BLOCKS, SPAN_WINDOWS = 32, 8
SHORT: Final = 2048  # points of a series that is not worth asking how full its windows get


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series as replayed: duplicates folded or kept, as the profile says.

    t int64[n] ascending, x float64[n]; wanted uint8[n]: 1 at the points whose steps are written; policy: its place in
    the policies; seconds: its window; switches: the profile's, as they are for these steps.
    """

    t: NDArray[np.int64]
    x: NDArray[np.float64]
    wanted: NDArray[np.uint8]
    policy: int
    seconds: int
    switches: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Which of a series' points are steps that are written: `count` of them, the points first..end-1 or some of these.

    at: int64[count], their places; None: all of first..end-1
    """

    count: int
    first: int
    end: int
    at: NDArray[np.int64] | None

    @classmethod
    def of(cls, series: Series) -> Self:
        """Those that a series marks."""
        wanted = series.wanted
        if len(wanted) and wanted.all():
            return cls(len(wanted), 0, len(wanted), None)
        at = np.flatnonzero(wanted)
        first, end = (int(at[0]), int(at[-1]) + 1) if len(at) else (0, 0)
        return cls(len(at), first, end, at)

    def before(self, point: int) -> int:
        """How many of them stand before a point."""
        if self.at is None:
            return min(max(point - self.first, 0), self.count)
        return int(np.searchsorted(self.at, point))

    def of_points(self, values: NDArray[Any]) -> NDArray[Any]:
        """Their values, given those of all points."""
        return values[self.first : self.end] if self.at is None else values[self.at]


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Points begin..end-1 of a series, whose steps are written from output position `place` on."""

    series: Series
    begin: int
    end: int
    place: int
    fullest: int


def spans_of(entry: Any, series: Series, wanted: Wanted, place: int, threads: int) -> Iterator[Span]:
    """Cut a series at the ends of blocks, if there are threads for its pieces; at least one of its points is wanted."""
    block = block_of(series.seconds)
    begin, end = wanted.first // block * block, wanted.end
    fullest = len(series.t) if len(series.t) <= SHORT else _fullest(entry, series, end)
    length = end - begin
    if threads > 1:
        length = -(-max(SPAN_BLOCKS * BLOCK, SPAN_WINDOWS * (fullest + BLOCK)) // block) * block
    for start in range(begin, end, length):
        yield Span(series, start, min(start + length, end), place + wanted.before(start), fullest)


def _fullest(entry: Any, series: Series, end: int) -> int:
    """The most points that any window before point `end` holds."""
    none, floats, integers = np.empty(0), np.empty((0, 0)), np.empty((0, 0), np.int64)
    return int(
        entry(
            series.t, series.x, series.wanted, series.switches, none, none, none, none, none, none, floats,
            integers, none, integers,
            np.empty((0, 0), np.int32), none, series.wanted[:0], series.wanted[:0], np.empty((0, 0), np.float32),
            none, none, 0, end, -1, 0, 0, series.seconds,
        )
    )  # fmt: skip


class Room:
    """Scratch arrays of one thread, grown as fuller windows come."""

    def __init__(self) -> None:
        self.fullest = -1
        self.floats = np.empty((BLOCK_FLOATS, WIDTH))
        self.integers = np.empty((BLOCK_INTEGERS, WIDTH), np.int64)

    def fit(self, fullest: int) -> None:
        """Make room for windows of `fullest` points."""
        if fullest <= self.fullest:
            return
        self.fullest = fullest
        ranks = chunk_room(fullest)
        self.sx = np.empty(ranks + 2)
        self.chunk = np.empty((CHUNK_INTEGERS, max(ranks + 2, RADIX)), np.int64)
        self.places = np.empty((CHUNK_PLACES, ranks + 2), np.int32)
        self.scratch = np.empty(scratch_room(fullest))


_rooms: Final = threading.local()


def room_for(fullest: int) -> Room:
    """The calling thread's room, large enough for windows of `fullest` points."""
    room: Room | None = getattr(_rooms, "room", None)
    if room is None:
        room = _rooms.room = Room()
    room.fit(fullest)
    return room
