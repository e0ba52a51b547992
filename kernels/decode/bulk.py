"""The header of one value in a reply of Redis: `$21600` and a line's end, or `$-1` where there is none."""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.layout import HEADER
from ridgeline.kernels.decode.loads import load_u8, load_u16

CUT: Final = -2  # for lengths: the bytes end within the header
WRONG: Final = -3  # it is no header of a value
_DOLLAR, _ZERO = b"$0"
_NONE: Final = int.from_bytes(b"-1")
_END: Final = int.from_bytes(b"\r\n")
_LARGEST: Final = 2**58  # a longer one counts as this long: it is refused whatever it is


@exact_kernel
def bulk_length(data: Any, at: int, have: int) -> Any:
    """(length, where the value begins) of the header at `at`, of what has come up to `have`; -1: no value; CUT or WRONG."""
    if at >= have:
        return CUT, at
    if load_u8(data, at) != _DOLLAR:
        return WRONG, at
    stop = min(at + HEADER, have)
    position = at + 1
    length = 0
    while position < stop and _ZERO <= load_u8(data, position) <= _ZERO + 9:
        length = min(10 * length + load_u8(data, position) - _ZERO, _LARGEST)
        position += 1
    if position == at + 1 and position + 1 < stop and load_u16(data, position) == _NONE:
        length = -1
        position += 2
    if position + 1 >= stop:
        return (WRONG if have - at >= HEADER else CUT), at
    if position == at + 1 or not line_ends(data, position):
        return WRONG, at
    return length, position + 2


@exact_kernel
def line_ends(data: Any, at: int) -> bool:
    """Whether a line ends in the two bytes at `at`."""
    return load_u16(data, at) == _END
