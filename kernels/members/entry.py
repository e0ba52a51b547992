"""The native entry `members`: `['name', timestamp]` of many metrics, each framed as Redis' protocol has it."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Int, Ints, signature_of
from ridgeline.kernels.shared.copy import copied
from ridgeline.kernels.shared.digits import DIGITS, digits_of, put_end, put_length, put_number

_FIRST, _LAST = 32, 126  # the characters of ASCII that are printed as they are,
_QUOTE, _BACKSLASH = 39, 92  # but for these
_OPEN, _CLOSE, _COMMA = 91, 93, 44
_AROUND: Final = 6  # bytes of a member beside its name and its digits


@exact_kernel
def is_plain(text: np.ndarray, start: int, end: int) -> bool:
    """Return whether Python's repr of the bytes `text[start:end]` of uint8, read as text, is they between two quotes."""
    odd = 0
    for i in range(start, end):
        byte = text[i]
        odd |= (byte < _FIRST) | (byte > _LAST) | (byte == _QUOTE) | (byte == _BACKSLASH)
    return odd == 0


@exact_kernel
def run(keys: Bytes, offsets: Ints, rows: Ints, skip: Int, stamps: Ints, out: Bytes, written: Ints) -> Int:
    """Write the member of each of the rows as a bulk string, up to the first that does not fit or is not plain; return how many.

    keys uint8[...], offsets int64[n+1]: row i's key is `keys[offsets[i]:offsets[i+1]]`, its name what follows `skip` bytes
    rows int64[m], each in [0, n); stamps int64[m]: epoch seconds, at least 0 where they are plain
    out uint8[room]: the members, one after the other; written int64[1]: how many bytes of `out` they take
    """
    at = 0
    done = 0
    while done < rows.size:
        start = offsets[rows[done]] + skip
        end = offsets[rows[done] + 1]
        if stamps[done] < 0 or out.size - at < end - start + 2 * DIGITS + 16 or not is_plain(keys, start, end):
            break
        digits = digits_of(stamps[done])
        at = put_length(end - start + digits + _AROUND, out, at)
        out[at] = _OPEN
        out[at + 1] = _QUOTE
        at = copied(keys, start, end, out, at + 2)
        out[at] = _QUOTE
        out[at + 1] = _COMMA
        out[at + 2] = _FIRST
        at = put_number(stamps[done], digits, out, at + 3)
        out[at] = _CLOSE
        at = put_end(out, at + 1)
        done += 1
    written[0] = at
    return done


SIGNATURE: Final = signature_of(run)
