"""The native entry `requests`: a slice of commands that differ in their key alone."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Int, Ints, signature_of
from ridgeline.kernels.shared.copy import copied
from ridgeline.kernels.shared.digits import DIGITS, put_end, put_length


@exact_kernel
def run(keys: Bytes, offsets: Ints, rows: Ints, before: Bytes, after: Bytes, out: Bytes, written: Ints) -> Int:
    """Write `before`, the key as a bulk string, `after`, for as many of the rows as fit; return how many those are.

    keys uint8[...], offsets int64[n+1]: row i's key is `keys[offsets[i]:offsets[i+1]]`; rows int64[m], each in [0, n)
    before, after uint8[...]: the rest of a command; out uint8[room]: the commands, one after the other
    written int64[1]: how many bytes of `out` they take
    """
    at = 0
    for i in range(rows.size):
        start = offsets[rows[i]]
        end = offsets[rows[i] + 1]
        if out.size - at < before.size + DIGITS + 5 + end - start + after.size:
            written[0] = at
            return i
        at = copied(before, 0, before.size, out, at)
        at = put_length(end - start, out, at)
        at = copied(keys, start, end, out, at)
        at = put_end(out, at)
        at = copied(after, 0, after.size, out, at)
    written[0] = at
    return rows.size


SIGNATURE: Final = signature_of(run)
