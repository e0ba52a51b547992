"""Numbers as text, and strings as Redis' protocol frames them, written into bytes that callers hold.

Nothing is checked: callers stay inside their arrays.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel

DIGITS: Final = 20  # of an int64 at most
_DOLLAR: Final = 36
_RETURN: Final = 13
_FEED: Final = 10
_ZERO: Final = 48


@exact_kernel
def digits_of(number: int) -> int:
    """Return how many decimal digits a number of at least 0 has."""
    digits = 1
    rest = number // 10
    while rest > 0:
        rest //= 10
        digits += 1
    return digits


@exact_kernel
def put_number(number: int, digits: int, out: np.ndarray, at: int) -> int:
    """Write a number of at least 0, of so many digits, to uint8 `out[at:]`, and return where it ends there."""
    rest = number
    for place in range(digits - 1, -1, -1):
        out[at + place] = _ZERO + rest % 10
        rest //= 10
    return at + digits


@exact_kernel
def put_end(out: np.ndarray, at: int) -> int:
    """Write the end of a line to uint8 `out[at:]`, and return where it ends there."""
    out[at] = _RETURN
    out[at + 1] = _FEED
    return at + 2


@exact_kernel
def put_length(size: int, out: np.ndarray, at: int) -> int:
    """Write the line that announces a string of `size` bytes to uint8 `out[at:]`, and return where it ends there."""
    out[at] = _DOLLAR
    return put_end(out, put_number(size, digits_of(size), out, at + 1))
