"""The native entry `requests`: a slice of commands that differ in their key alone."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Int, Ints, signature_of
from ridgeline.kernels.shared.copy import copied

DIGITS: Final = 20  # of a length
_DOLLAR: Final = 36
_RETURN: Final = 13
_FEED: Final = 10
_ZERO: Final = 48


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
        at = _length(end - start, out, at)
        at = copied(keys, start, end, out, at)
        out[at] = _RETURN
        out[at + 1] = _FEED
        at = copied(after, 0, after.size, out, at + 2)
    written[0] = at
    return rows.size


@exact_kernel
def _length(size: int, out: np.ndarray, at: int) -> int:
    """Write the line that announces a string of `size` bytes to uint8 `out[at:]`, and return where it ends there."""
    digits = 1
    power = 10
    while power <= size:
        power *= 10
        digits += 1
    out[at] = _DOLLAR
    rest = size
    for place in range(digits, 0, -1):
        out[at + place] = _ZERO + rest % 10
        rest //= 10
    out[at + digits + 1] = _RETURN
    out[at + digits + 2] = _FEED
    return at + digits + 3


SIGNATURE: Final = signature_of(run)
