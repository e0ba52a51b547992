"""The native entry `decode`: the values in a reply of Redis, as far as it has come, into columns of points."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Int, IntRows, Ints, signature_of
from ridgeline.kernels.decode.bulk import CUT, WRONG, bulk_length, line_ends
from ridgeline.kernels.decode.integers import integers_of
from ridgeline.kernels.decode.layout import (
    ABSENT,
    AT,
    FULL,
    HAVE,
    LIMIT,
    MORE,
    NEED,
    NO_ROOM,
    ODD,
    REFUSED,
    ROW,
    STOP,
    TAKEN,
)
from ridgeline.kernels.decode.row import read_row


@exact_kernel
def run(
    data: Bytes,
    state: Ints,
    timestamps: Ints,
    values: Ints,
    offsets: Ints,
    sizes: Ints,
    dropped: IntRows,
    disordered: Bytes,
    integers: Bytes,
    stack: Ints,
) -> Int:
    """Decode the values that lie whole in `data[state[AT]:state[HAVE]]`, as MGET answers them, into rows from state[ROW] on.

    state int64[STATE]: AT, ROW move on behind each value taken; STOP: the row to stop before; LIMIT: bytes of the longest
    value to accept; NEED, written: bytes of the value at AT with what frames it, as far as they are known
    timestamps int64[N], values int64[N] (the bits of float64): points, as `read_row` writes them from offsets[row] on
    offsets int64[rows + 1]: offsets[state[ROW]] is given
    sizes int64[rows]: bytes of the values, ABSENT where there is none; dropped int64[rows, len(KINDS)]
    disordered uint8[rows]: 1 where timestamps do not strictly increase
    integers uint8[rows]: INTEGER_TIMESTAMPS and INTEGER_VALUES; stack int64[NESTING]: scratch

    Returns TAKEN at STOP; MORE where no whole value is left; or, of the value at AT, which is not taken: REFUSED (it is
    too long), ODD (it is framed wrongly), FULL (its points exceed the columns: a third of its bytes always suffices).
    """
    at = state[AT]
    have = state[HAVE]
    status = TAKEN
    row = state[ROW]
    while row < state[STOP]:
        length, start = bulk_length(data, at, have)
        end = start + length
        if length == CUT:
            state[NEED] = have - at + 1
            status = MORE
            break
        if length == WRONG:
            status = ODD
            break
        if length > state[LIMIT]:
            status = REFUSED
            break
        if length < 0:
            sizes[row] = ABSENT
            dropped[row, :] = 0
            disordered[row] = 0
            integers[row] = 0
            offsets[row + 1] = offsets[row]
            at = start
            row += 1
            continue
        state[NEED] = end + 2 - at
        if have < end + 2:
            status = MORE
            break
        if not line_ends(data, end):
            status = ODD
            break
        last, late = read_row(data, start, end, timestamps, values, offsets[row], dropped[row], stack)
        if last == NO_ROOM:
            status = FULL
            break
        sizes[row] = length
        disordered[row] = late
        integers[row] = integers_of(data, start, end)
        offsets[row + 1] = last
        at = end + 2
        row += 1
    state[AT] = at
    state[ROW] = row
    return status


SIGNATURE: Final = signature_of(run)
