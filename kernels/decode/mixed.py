"""Points of changing layout: uint32 or float64 of seconds, and a number of any kind for the value.

Gauges of whole numbers change their layout with the value (200 takes two bytes, 20 one), so no branch depends on it:
tables tell from a value's first byte how long it is and how its bits make a number. 1440 points take 6.5 us.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.layout import FLOAT64, FLOAT_SIZE, LARGEST
from ridgeline.kernels.decode.loads import bits_of, float32_of, float64_of, load_64, load_u8
from ridgeline.kernels.decode.runs import EXPONENT

_FLOAT32: Final = 0xCA
_UINT64: Final = 0xCF


def _tables() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """By a value's first byte: its bytes (0: another kind); how far right its bits go from the top; which then count."""
    size, shift, mask = np.zeros(256, np.int64), np.zeros(256, np.int64), np.full(256, -1, np.int64)
    for code in [*range(0x80), *range(0xE0, 0x100)]:  # small integers: the byte is the number, signed
        size[code], shift[code] = 1, 56
    size[_FLOAT32], shift[_FLOAT32], mask[_FLOAT32] = 5, 32, 0xFFFF_FFFF
    size[FLOAT64] = 9
    for power in range(4):
        bits = 8 << power
        for code in (0xCC + power, 0xD0 + power):
            size[code], shift[code] = 1 + bits // 8, 64 - bits
        if bits < 64:
            mask[0xCC + power] = (1 << bits) - 1  # unsigned: without the copies of the topmost bit
    return size, shift, mask


_SIZE, _SHIFT, _MASK = _tables()


@exact_kernel
def read_mixed(data: Any, position: int, end: int, limit: int, timestamps: Any, values: Any) -> Any:
    """(position after, points, strictly increasing) of up to `limit` points, written to the two arrays' beginnings.

    Stops before the first object that is no such point or not usable, and 19 bytes (the longest layout) before `end`.
    """
    count = 0
    late = 0
    before = -LARGEST - 1
    last = end - FLOAT_SIZE
    while count < limit and position <= last:
        head = load_64(data, position)
        kind = (head >> 48) & 0xFFFF
        if kind == 0x92CE:
            seconds = (head >> 16) & 0xFFFF_FFFF
            place = position + 6
        elif kind == 0x92CB:
            moment = float64_of(load_64(data, position + 2))
            if not abs(moment) <= LARGEST:
                break
            seconds = int(moment)
            seconds -= seconds > moment
            place = position + 10
        else:
            break
        code = load_u8(data, place)
        size = _SIZE[code]
        number = (load_64(data, place + (size > 1)) >> _SHIFT[code]) & _MASK[code]
        real = float32_of(number) if code == _FLOAT32 else float(number)
        others = (code == FLOAT64) - 1  # a mask, for a choice may become a branch, and a wrong guess of it costs most
        bits = (bits_of(real) & others) | (number & ~others)
        # infinities, NaN and what exceeds int64
        if size == 0 or (bits & EXPONENT) == EXPONENT or (code == _UINT64 and number < 0):
            break
        late |= seconds <= before
        before = seconds
        timestamps[count] = seconds
        values[count] = bits
        count += 1
        position = place + size
    return position, count, late == 0
