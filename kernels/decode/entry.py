"""The native entry `decode`: the stored values of many metrics into columns of points."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.items import POINT, read_item
from ridgeline.kernels.decode.loads import load_64
from ridgeline.kernels.decode.runs import FLOAT_SIZE, INTEGER_SIZE, read_float_run, read_integer_run

SIGNATURE: Final = "i8(u1[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[:, ::1], u1[::1], i8[::1])"

FULL: Final = 1
_BLOCK: Final = 256  # points read as one run, and objects read one by one where that failed


@exact_kernel
def run(
    data: Any,
    starts: Any,
    ends: Any,
    timestamps: Any,
    values: Any,
    offsets: Any,
    counts: Any,
    disordered: Any,
    stack: Any,
) -> int:
    """Decode rows `data[starts[i]:ends[i]]` (uint8; concatenated msgpack pairs) into points.

    Written: `timestamps` int64 (floored, in whatever unit was stored) and `values` (the bits of float64, as int64),
    both of the same capacity; `offsets` int64[rows + 1] from 0; `counts` int64[rows, KINDS]: dropped points by kind of
    `ridgeline.kernels.decode.items`; `disordered` uint8[rows]: 1 where timestamps do not strictly increase.
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
        while 0 <= position < end:
            layout = _layout(data, position, end)
            if layout > 0:
                count = min((end - position) // layout, _BLOCK, capacity - at)
                if count == 0:
                    return FULL
                if layout == INTEGER_SIZE:
                    good, rising = read_integer_run(data, position, count, timestamps[at:], values[at:])
                else:
                    good, rising = read_float_run(data, position, count, timestamps[at:], values[at:])
                if good:
                    if not rising or (at > first and timestamps[at] <= timestamps[at - 1]):
                        late = 1
                    at += count
                    position += layout * count
                    continue
            for _ in range(_BLOCK):
                position, kind, timestamp, bits = read_item(data, position, end, stack)
                if kind != POINT:
                    counts[row, kind] += 1
                elif at == capacity:
                    return FULL
                else:
                    if at > first and timestamp <= timestamps[at - 1]:
                        late = 1
                    timestamps[at] = timestamp
                    values[at] = bits
                    at += 1
                if position < 0 or position >= end:
                    break
        offsets[row + 1] = at
        disordered[row] = late
    return 0


@exact_kernel
def _layout(data: Any, position: int, end: int) -> int:
    """Bytes per point of the fixed layout that begins at `position`, 0 if none does."""
    if end - position >= INTEGER_SIZE:
        head = load_64(data, position)
        if (head >> 48) & 0xFFFF == 0x92CE:
            return INTEGER_SIZE
        if (head >> 48) & 0xFFFF == 0x92CB and end - position >= FLOAT_SIZE:
            return FLOAT_SIZE
    return 0
