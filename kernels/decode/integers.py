"""Whether a series is stored as integers: told by its first point, for siblings that are to read numbers as they stand."""

from __future__ import annotations

from typing import Any

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.layout import INTEGER_TIMESTAMPS, INTEGER_VALUES, SHORTEST_SIZE
from ridgeline.kernels.decode.loads import load_u8


@exact_kernel
def integers_of(data: Any, start: int, end: int) -> int:
    """INTEGER_TIMESTAMPS and INTEGER_VALUES of the msgpack pairs `data[start:end]`, as their first point has them."""
    if end - start < SHORTEST_SIZE:
        return 0
    stamp = load_u8(data, start + 1)
    size = 1
    if _is_sized(stamp):
        size += 1 << ((stamp - 0xCC) & 3)
    elif stamp == 0xCA or stamp == 0xCB:
        size += 4 << (stamp - 0xCA)
    value = load_u8(data, min(start + 1 + size, end - 1))
    return INTEGER_TIMESTAMPS * _is_integer(stamp) | INTEGER_VALUES * _is_integer(value)


@exact_kernel
def _is_sized(code: int) -> bool:
    """Whether it is the first byte of an integer of one to eight bytes more."""
    return 0xCC <= code <= 0xD3


@exact_kernel
def _is_integer(code: int) -> bool:
    """Whether it is the first byte of an integer: a small one is its own."""
    return code < 0x80 or code >= 0xE0 or _is_sized(code)
