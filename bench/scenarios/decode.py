"""Skyline's msgpack pairs into columns: both fixed layouts and the general path, on one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import numpy as np

from ridgeline.bench.axes import Axes
from ridgeline.bench.data import fleet_of
from ridgeline.bench.machine import memory_seconds
from ridgeline.bench.measure import repeat
from ridgeline.bench.row import Row
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.block import Block
from ridgeline.io.redis.decode import matrix_of
from ridgeline.io.redis.wire import Wire
from ridgeline.io.redis.write import encode_points
from ridgeline.kernels.decode.layout import TAKEN

SUMMARY: Final = "stored values to clean columns: 15-byte, 19-byte and general layouts"
INTEGER_FIXED: Final = 15


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per layout."""
    fleet = fleet_of(axes)
    for work, values in _layouts(fleet.timestamps, fleet.values):
        size = sum(map(len, values))
        replies = [(fleet.metrics[at : at + 100], reply_of(values[at : at + 100])) for at in range(0, len(values), 100)]
        limit = memory_seconds(np.zeros(size // 8), runs=axes.runs)

        works: dict[str, Callable[[], object]] = {
            f"{work}: the kernel alone": _kernel(replies),
            f"{work}: into a matrix": partial(_matrices, replies),
        }
        for name, decode in works.items():
            timing = repeat(decode, runs=axes.runs)
            yield Row(
                "decode", name, timing, len(values), fleet.values.size,
                size,  ("one pass from memory", limit), None, {"points": axes.points, "chunk": 100},
            )  # fmt: skip


Replies = list[tuple[list[str], Wire]]


def _matrices(replies: Replies) -> None:
    """What the Redis source does with each reply: decode, judge, wrap."""
    for names, wire in replies:
        decoded(names, wire)


def decoded(names: list[str], wire: Wire) -> MetricMatrix:
    """The matrix of the values on the wire, one of each name."""
    wire.at = 0
    block = Block(0, wire.have)
    if block.take(wire, len(names)) != TAKEN:
        raise ValueError("the values exceed a block")
    return matrix_of(names, block, 1_000_000)


def _kernel(replies: Replies) -> Callable[[], None]:
    """Decoding alone, into columns that are there already."""
    block = Block(0, max(wire.have for _, wire in replies))

    def work() -> None:
        for names, wire in replies:
            wire.at = 0
            block.cut(0)
            block.take(wire, len(names))

    return work


def _layouts(timestamps: np.ndarray, values: np.ndarray) -> Iterator[tuple[str, list[bytes]]]:
    for floats, work in ((False, "15-byte layout"), (True, "19-byte layout")):
        yield work, [encode_points(timestamps, x, float_timestamps=floats).tobytes() for x in values]
    # A small integer value now and then makes every pair's place depend on the one before it.
    general = []
    for x in values:
        pairs = encode_points(timestamps, x, float_timestamps=False).tobytes()
        cut = len(pairs) // 2 // INTEGER_FIXED * INTEGER_FIXED
        general.append(b"".join((pairs[:cut], pairs[cut : cut + 6], b"\x05", pairs[cut + INTEGER_FIXED :])))
    yield "one odd pair among 15-byte ones", general


def reply_of(values: list[bytes]) -> Wire:
    """The values as they come over a connection."""
    reply = b"".join(b"$%d\r\n%s\r\n" % (len(value), value) for value in values)
    wire = Wire()
    wire.arena.reserve(len(reply), 0)
    wire.arena.view[: len(reply)] = reply
    wire.have = len(reply)
    return wire
