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
from ridgeline.io.redis.arena import Arena
from ridgeline.io.redis.decode import decode_part
from ridgeline.io.redis.values import Part
from ridgeline.io.redis.write import encode_points
from ridgeline.kernels.decode.layout import KINDS
from ridgeline.kernels.native import loader

SUMMARY: Final = "stored values to clean columns: 15-byte, 19-byte and general layouts"
INTEGER_FIXED: Final = 15


def measure(axes: Axes) -> Iterator[Row]:
    """Yield a row per layout."""
    fleet = fleet_of(axes)
    for work, values in _layouts(fleet.timestamps, fleet.values):
        size = sum(map(len, values))
        blocks = [(fleet.metrics[at : at + 100], _part(values[at : at + 100])) for at in range(0, len(values), 100)]
        limit = memory_seconds(np.zeros(size // 8), runs=axes.runs)

        works: dict[str, Callable[[], object]] = {
            f"{work}: the kernel alone": _kernel(blocks),
            f"{work}: into a matrix": partial(_matrices, blocks),
        }
        for name, decode in works.items():
            timing = repeat(decode, runs=axes.runs)
            yield Row(
                "decode", name, timing, len(values), fleet.values.size,
                size,  ("one pass from memory", limit), None, {"points": axes.points, "chunk": 100},
            )  # fmt: skip


Blocks = list[tuple[list[str], Part]]


def _matrices(blocks: Blocks) -> None:
    """What the Redis source does with each reply: decode, judge, wrap."""
    for names, part in blocks:
        decode_part(names, part, 1_000_000)


def _kernel(blocks: Blocks) -> Callable[[], None]:
    """Decoding alone, into columns that are there already."""
    entry = loader.entry("decode")
    room = max(part.ends[-1] for _, part in blocks) // INTEGER_FIXED * 2
    timestamps, bits = np.empty(room, np.int64), np.empty(room, np.int64)
    bounds = [(part, np.array(part.starts), np.array(part.ends)) for _, part in blocks]
    offsets, disordered, stack = np.empty(101, np.int64), np.empty(100, np.uint8), np.empty(1024, np.int64)
    counts = np.empty((100, len(KINDS)), np.int64)

    def work() -> None:
        for part, starts, ends in bounds:
            n = len(starts)
            entry(part.arena.data, starts, ends, timestamps, bits, offsets[: n + 1], counts[:n], disordered[:n], stack)

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


def _part(values: list[bytes]) -> Part:
    """The values as the Redis source receives them."""
    ends = np.cumsum([len(value) for value in values])
    arena = Arena(int(ends[-1]))
    arena.view[:] = b"".join(values)
    return Part(0, arena, [0, *ends[:-1].tolist()], ends.tolist())
