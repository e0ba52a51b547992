"""How long a msgpack object is, whatever it holds, without recursion.

Agrees with the msgpack library: what that one can step over, this can; where that one stops (a reserved byte,
nesting beyond its limit, the end of the bytes), this stops. Every byte is looked at once per step.
"""

from __future__ import annotations

from typing import Any, Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.layout import NESTING
from ridgeline.kernels.decode.loads import load_u8, load_u16, load_u32

CUT: Final = -1  # the bytes end within the object
BROKEN: Final = -2  # a reserved byte, or nested too deeply: no telling where the next object begins


@exact_kernel
def skip(data: Any, position: int, end: int, stack: Any) -> int:
    """Position after the object that begins at `position` < `end`, or CUT, or BROKEN. `stack` int64[NESTING]: scratch."""
    depth = 0
    while True:
        if position >= end:
            return CUT
        code = load_u8(data, position)
        position += 1
        children = 0
        container = False
        if code < 0x80 or code >= 0xE0:  # small integers
            pass
        elif code < 0xA0:  # small maps and arrays
            container = True
            children = (code & 15) << (1 if code < 0x90 else 0)
        elif code < 0xC0:  # short strings
            position += code & 31
        elif code == 0xC1:
            return BROKEN
        elif code <= 0xC3:  # nil, false, true
            pass
        elif code <= 0xC9:  # bytes and extensions of 8, 16, 32 bits of length; the latter with a type byte
            width = 1 << ((code - 0xC4) % 3)
            if position + width > end:
                return CUT
            extra = 0 if code <= 0xC6 else 1
            position += length_at(data, position, width) + width + extra
        elif code <= 0xCB:  # float32, float64
            position += 4 << (code - 0xCA)
        elif code <= 0xCF:  # unsigned integers
            position += 1 << (code - 0xCC)
        elif code <= 0xD3:  # signed integers
            position += 1 << (code - 0xD0)
        elif code <= 0xD8:  # extensions of 1, 2, 4, 8, 16 bytes
            position += (1 << (code - 0xD4)) + 1
        elif code <= 0xDB:  # strings
            width = 1 << (code - 0xD9)
            if position + width > end:
                return CUT
            position += length_at(data, position, width) + width
        else:  # arrays and maps of 16 and 32 bits of length
            width = 2 << ((code - 0xDC) & 1)
            if position + width > end:
                return CUT
            container = True
            children = length_at(data, position, width) << (0 if code <= 0xDD else 1)
            position += width
        if position > end:
            return CUT
        if container:
            if depth >= NESTING:
                return BROKEN
            if children > 0:
                stack[depth] = children
                depth += 1
                continue
        while depth > 0:
            stack[depth - 1] -= 1
            if stack[depth - 1] > 0:
                break
            depth -= 1
        if depth == 0:
            return position


@exact_kernel
def length_at(data: Any, position: int, width: int) -> int:
    """The length of 1, 2 or 4 bytes at `position`."""
    if width == 1:
        return load_u8(data, position)
    return load_u16(data, position) if width == 2 else load_u32(data, position)
