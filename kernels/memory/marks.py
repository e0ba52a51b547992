"""The small numbers of a row: bytes of its word MARKS."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.memory.layout import MARKS


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
