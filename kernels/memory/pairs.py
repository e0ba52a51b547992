"""The bytes that end a series into pairs: from the first whole one on, to the very end."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.decode.items import read_item
from ridgeline.kernels.decode.layout import FLOAT64, FLOAT_SIZE, INTEGER_SIZE, MALFORMED, POINT
from ridgeline.kernels.decode.loads import load_u8, load_u16
from ridgeline.kernels.decode.mixed import read_mixed
from ridgeline.kernels.decode.runs import read_float_run, read_integer_run

NONE: Final = -1
_KINDS_BITS: Final = 8  # of a dropped object's kind, below the number of points before it
TRIES: Final = 64  # places at which a first pair is looked for
_SECONDS, _MOMENT = 0x92CE, 0x92CB


class Pairs(NamedTuple):
    """Room for the pairs of one tail, `layout.tail_room` of its size each."""

    t: np.ndarray  # int64: timestamps, epoch seconds
    bits: np.ndarray  # int64: the bits of their values
    dropped: np.ndarray  # int64: points before an unusable object, and its kind
    stack: np.ndarray  # int64[NESTING]


@exact_kernel
def read_even(data: Any, start: int, end: int, whole: int, most: int, pairs: Pairs) -> int:
    """Return the number of pairs that were read at the end of data[start:end], `most` at the most; NONE where they cannot be.

    They can where all are of one of the two fixed layouts and usable. whole: not 0 where the bytes begin with a pair, and all
    are to be read; else what is left over at their beginning is part of one.
    """
    size = end - start
    if size >= INTEGER_SIZE and load_u16(data, end - INTEGER_SIZE) == _SECONDS and data[end - 9] == FLOAT64:
        count = min(size // INTEGER_SIZE, most)
        first = end - count * INTEGER_SIZE
        if whole == 0 or first == start:
            good, _ = read_integer_run(data, first, count, pairs.t, pairs.bits)
            if good:
                return count
    if size >= FLOAT_SIZE and load_u16(data, end - FLOAT_SIZE) == _MOMENT and data[end - 9] == FLOAT64:
        count = min(size // FLOAT_SIZE, most)
        first = end - count * FLOAT_SIZE
        if whole == 0 or first == start:
            good, _ = read_float_run(data, first, count, pairs.t, pairs.bits)
            if good:
                return count
    return NONE


@exact_kernel
def read_from(data: Any, position: int, end: int, pairs: Pairs) -> tuple[int, int]:
    """Return (pairs, dropped objects) of data[position:end]; NONE for both where they do not end exactly there."""
    never_inline()
    room = pairs.t.size
    count = 0
    lost = 0
    while position < end:
        position, some, _ = read_mixed(data, position, end, room - count, pairs.t[count:], pairs.bits[count:])
        count += some
        if position >= end:
            break
        position, kind, moment, value = read_item(data, position, end, pairs.stack)
        if position < 0 or kind == MALFORMED or count == room or lost == room:
            return NONE, NONE
        if kind == POINT:
            pairs.t[count] = moment
            pairs.bits[count] = value
            count += 1
        else:
            pairs.dropped[lost] = (count << _KINDS_BITS) | kind
            lost += 1
    return count, lost


@exact_kernel
def next_start(data: Any, position: int, end: int) -> int:
    """Return the first place from `position` on at which a pair with a timestamp of seconds may begin; `end` if none."""
    while position + 1 < end:
        if data[position] == 0x92:
            code = load_u8(data, position + 1)
            if code == 0xCE or code == 0xCB:
                return position
        position += 1
    return end


@exact_kernel
def kind_of(dropped: int) -> int:
    """Return the kind of a dropped object."""
    return dropped & ((1 << _KINDS_BITS) - 1)


@exact_kernel
def points_before(dropped: int) -> int:
    """Return the number of points before a dropped object."""
    return dropped >> _KINDS_BITS
