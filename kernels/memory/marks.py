"""The small numbers of a row: bytes of its word MARKS, and halves of others."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.memory.layout import MARKS

_HALF: Final = 0xFFFF_FFFF


@exact_kernel
def mark(w: np.ndarray, place: int) -> int:
    """Return one byte of the marks of w int64[HOT_WORDS]."""
    always_inline()
    return (w[MARKS] >> (8 * place)) & 0xFF


@exact_kernel
def put_mark(w: np.ndarray, place: int, value: int) -> None:
    """Set one byte of the marks of w."""
    always_inline()
    w[MARKS] = (w[MARKS] & ~(0xFF << (8 * place))) | ((value & 0xFF) << (8 * place))


@exact_kernel
def half(w: np.ndarray, place: int) -> int:
    """Return one half, int32 of at least 0, of a word of w int64[HOT_WORDS]."""
    always_inline()
    return (w[place >> 1] >> (32 * (place & 1))) & _HALF


@exact_kernel
def put_half(w: np.ndarray, place: int, value: int) -> None:
    """Set one half of a word of w."""
    always_inline()
    shift = 32 * (place & 1)
    w[place >> 1] = (w[place >> 1] & ~(_HALF << shift)) | ((value & _HALF) << shift)


@exact_kernel
def add_to_half(w: np.ndarray, place: int, value: int) -> None:
    """Add to one half of a word of w."""
    always_inline()
    put_half(w, place, half(w, place) + value)
