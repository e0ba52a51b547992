"""One msgpack object at a time: whether it is a point, and which."""

from __future__ import annotations

from typing import Any

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.layout import (
    BAD_TIMESTAMP,
    LARGEST,
    MALFORMED,
    NON_FINITE,
    NON_NUMERIC,
    NULL,
    POINT,
    TRUNCATED,
)
from ridgeline.kernels.decode.loads import (
    bits_of,
    float32_of,
    float64_of,
    float64_of_unsigned,
    load_64,
    load_u8,
    load_u16,
    load_u32,
)
from ridgeline.kernels.decode.skip import BROKEN, CUT, length_at, skip

_NUMBER, _NIL, _OTHER, _CONTAINER = 0, 1, 2, 3


@exact_kernel
def _scalar(data: Any, position: int, end: int) -> Any:
    """(position after, class, is it an integer, its int64, its float64) of the object at `position`.

    Only numbers and nil have a position after them; otherwise, and where the bytes end, it is CUT.
    An integer beyond int64 has `LARGEST + 1` for its int64.
    """
    if position >= end:
        return CUT, _OTHER, False, 0, 0.0
    code = load_u8(data, position)
    position += 1
    if code < 0x80 or code >= 0xE0:
        small = code if code < 0x80 else code - 256
        return position, _NUMBER, True, small, float(small)
    if code < 0xCA or code > 0xD3:
        if code == 0xC0:
            return position, _NIL, False, 0, 0.0
        container = code < 0xA0 or 0xC7 <= code <= 0xC9 or 0xD4 <= code <= 0xD8 or code >= 0xDC
        return CUT, (_CONTAINER if container else _OTHER), False, 0, 0.0
    if code <= 0xCB:
        width = 4 << (code - 0xCA)
    else:
        width = 1 << ((code - 0xCC) & 3)
    if position + width > end:
        return CUT, _NUMBER, False, 0, 0.0
    after = position + width
    if width == 8:
        bits = load_64(data, position)
        if code == 0xCB:
            return after, _NUMBER, False, 0, float64_of(bits)
        if code == 0xCF and bits < 0:
            return after, _NUMBER, True, LARGEST + 1, float64_of_unsigned(bits)
        return after, _NUMBER, True, bits, float(bits)
    number = length_at(data, position, width)
    if code == 0xCA:
        return after, _NUMBER, False, 0, float32_of(number)
    if code >= 0xD0:  # signed: the topmost bit counts negative
        number -= (number >> (8 * width - 1)) << (8 * width)
    return after, _NUMBER, True, number, float(number)


@exact_kernel
def read_item(data: Any, position: int, end: int, stack: Any) -> Any:
    """(position after, kind, timestamp, bits of the value) of the object at `position`; position is CUT or BROKEN at its end.

    A point is an array of at least two elements: a timestamp and a value, both numbers; further elements are ignored.
    """
    code = load_u8(data, position)
    if code == 0x92:  # two plain numbers: nearly every object that comes here
        middle, first, whole, integer, moment = _scalar(data, position + 1, end)
        if middle > 0 and first == _NUMBER:
            after, second, _, _, value = _scalar(data, middle, end)
            if after > 0 and second == _NUMBER:
                kind, timestamp = _judge(whole, integer, moment, value)
                return after, kind, timestamp, bits_of(value)
    after = skip(data, position, end, stack)
    if after == CUT:
        return CUT, TRUNCATED, 0, 0
    if after == BROKEN:
        return BROKEN, MALFORMED, 0, 0
    if 0x92 <= code <= 0x9F:
        middle = position + 1
    elif code == 0xDC and load_u16(data, position + 1) >= 2:
        middle = position + 3
    elif code == 0xDD and load_u32(data, position + 1) >= 2:
        middle = position + 5
    else:
        return after, MALFORMED, 0, 0
    _, first, whole, integer, moment = _scalar(data, middle, end)
    _, second, _, _, value = _scalar(data, skip(data, middle, end, stack), end)
    if first == _CONTAINER or second == _CONTAINER:
        return after, MALFORMED, 0, 0
    if first == _NIL or second == _NIL:
        return after, NULL, 0, 0
    if first == _OTHER or second == _OTHER:
        return after, NON_NUMERIC, 0, 0
    kind, timestamp = _judge(whole, integer, moment, value)
    return after, kind, timestamp, bits_of(value)


@exact_kernel
def _judge(whole: bool, integer: int, moment: float, value: float) -> Any:  # noqa: FBT001 - kernels take positional arguments
    """(kind, timestamp) of a pair of numbers; a timestamp with a fraction is floored."""
    if not abs(value) < float("inf"):
        return NON_FINITE, 0
    if whole:
        if integer < -LARGEST or integer > LARGEST:
            return BAD_TIMESTAMP, 0
        return POINT, integer
    if not abs(moment) <= LARGEST:
        return BAD_TIMESTAMP, 0
    floored = int(moment)
    if floored > moment:
        floored -= 1
    return POINT, floored
