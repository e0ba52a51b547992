"""One stored value, a stream of msgpack pairs, into columns of points."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.items import read_item
from ridgeline.kernels.decode.layout import FLOAT_SIZE, INTEGER_SIZE, NO_ROOM, POINT
from ridgeline.kernels.decode.loads import load_u8, load_u16
from ridgeline.kernels.decode.mixed import read_mixed
from ridgeline.kernels.decode.runs import read_float_run, read_integer_run

_BLOCK: Final = 256  # points read as one run; where that failed, as many are read one by one
_STRETCH: Final = 1024  # and twice as many each time it fails again, up to this


@exact_kernel
def read_row(
    data: Any, position: int, end: int, timestamps: Any, values: Any, first: int, dropped: Any, stack: Any
) -> Any:
    """(end of the points, whether timestamps do not strictly increase) of the pairs `data[position:end]`, uint8.

    Points are written from `first` on to `timestamps` int64 (floored, in whatever unit was stored) and `values` (the
    bits of float64, as int64), both of the same capacity; the end is NO_ROOM where they exceed it. `dropped`
    int64[len(KINDS)]: objects that are no points, by kind. `stack` int64[NESTING]: scratch. Objects before a cut or a
    broken one are kept.
    """
    capacity = len(timestamps)
    at = first
    late = False
    stretch = _BLOCK
    dropped[:] = 0
    while 0 <= position < end:
        layout = _layout(data, position, end)
        count = min((end - position) // layout, _BLOCK, capacity - at) if layout > 0 else 0
        if count > 0:
            if layout == INTEGER_SIZE:
                good, rising = read_integer_run(data, position, count, timestamps[at:], values[at:])
            else:
                good, rising = read_float_run(data, position, count, timestamps[at:], values[at:])
            if good:
                late |= not rising or _is_late(timestamps, at, first)
                at += count
                position += layout * count
                stretch = _BLOCK
                continue
        goal = at + stretch
        stretch = min(2 * stretch, _STRETCH)
        for _ in range(_BLOCK):
            limit = min(goal, capacity) - at
            position, count, rising = read_mixed(data, position, end, limit, timestamps[at:], values[at:])
            if count > 0:
                late |= not rising or _is_late(timestamps, at, first)
                at += count
            if at == goal or position >= end:
                break
            position, kind, timestamp, bits = read_item(data, position, end, stack)
            if kind != POINT:
                dropped[kind] += 1
            elif at == capacity:
                return NO_ROOM, late
            else:
                timestamps[at] = timestamp
                values[at] = bits
                late |= _is_late(timestamps, at, first)
                at += 1
            if position < 0 or position >= end:
                break
    return at, late


@exact_kernel
def _is_late(timestamps: Any, at: int, first: int) -> bool:
    """Whether the point `at` is not later than the one before it, in a row that begins at `first`."""
    return at > first and timestamps[at] <= timestamps[at - 1]


@exact_kernel
def _layout(data: Any, position: int, end: int) -> int:
    """Bytes per point of the fixed layout that begins at `position`, 0 if none does."""
    room = end - position
    if room >= INTEGER_SIZE:
        kind = load_u16(data, position)
        if kind == 0x92CE and load_u8(data, position + 6) == 0xCB:
            return INTEGER_SIZE
        if kind == 0x92CB and room >= FLOAT_SIZE and load_u8(data, position + 10) == 0xCB:
            return FLOAT_SIZE
    return 0
