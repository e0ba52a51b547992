"""The native entry `decode`: the stored values of many metrics into columns of points."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Int, IntRows, Ints, signature_of
from ridgeline.kernels.decode.items import read_item
from ridgeline.kernels.decode.layout import FLOAT_SIZE, FULL, INTEGER_SIZE, POINT
from ridgeline.kernels.decode.loads import load_u8, load_u16
from ridgeline.kernels.decode.mixed import read_mixed
from ridgeline.kernels.decode.runs import read_float_run, read_integer_run

_BLOCK: Final = 256  # points read as one run; where that failed, as many are read one by one
_STRETCH: Final = 1024  # and twice as many each time it fails again, up to this


@exact_kernel
def run(
    data: Bytes,
    starts: Ints,
    ends: Ints,
    timestamps: Ints,
    values: Ints,
    offsets: Ints,
    counts: IntRows,
    disordered: Bytes,
    stack: Ints,
) -> Int:
    """Decode rows `data[starts[i]:ends[i]]` (uint8; concatenated msgpack pairs) into points.

    Written: `timestamps` int64 (floored, in whatever unit was stored) and `values` (the bits of float64, as int64),
    both of the same capacity; `offsets` int64[rows + 1] from 0; `counts` int64[rows, len(KINDS)]: dropped points by kind; `disordered` uint8[rows]: 1 where timestamps do not strictly increase.
    `stack`: int64[NESTING] of scratch. Objects before a cut or a broken one are kept.

    Returns 0, or FULL where the points exceed the capacity: a third of all bytes always suffices, and a fifteenth
    where every point has one of the two fixed layouts.
    """
    capacity = len(timestamps)
    offsets[0] = 0
    at = 0
    for row in range(len(starts)):
        position, end = starts[row], ends[row]
        counts[row, :] = 0
        first = at
        late = 0
        stretch = _BLOCK
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
                    counts[row, kind] += 1
                elif at == capacity:
                    return FULL
                else:
                    timestamps[at] = timestamp
                    values[at] = bits
                    late |= _is_late(timestamps, at, first)
                    at += 1
                if position < 0 or position >= end:
                    break
        offsets[row + 1] = at
        disordered[row] = late
    return 0


SIGNATURE: Final = signature_of(run)


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
