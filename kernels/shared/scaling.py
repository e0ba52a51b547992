"""Exact scaling by powers of two: what squares need where they would overflow or underflow."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.shared.bounds import bounds

# Sums of squares outside of these have lost digits, or may have.
TINY: Final = 1e-280
HUGE: Final = 1e280
# Differences shorter than SHORT are written times UP, where halves of them are numbers too; what overflows, times DOWN.
SHORT: Final = 1e-290
UP: Final = 2.0**200
DOWN: Final = 2.0**-4


@exact_kernel
def power_of_two(size: float, scratch: np.ndarray) -> float:
    """Power of two `c` with `1 <= size * c < 2`, for any normal `size` > 0; scratch: float64[1].

    Multiplying by it rounds nothing. Sizes below the normal range get 2**1022, sizes from 2**1022 get 2**-1022.
    """
    scratch[0] = size
    bits = scratch[0:1].view(np.int64)
    exponent = (bits[0] >> 52) & 0x7FF
    bits[0] = min(max(2046 - exponent, 1), 2045) << 52
    return scratch[0]


@exact_kernel
def unit_of(x: np.ndarray, scratch: np.ndarray) -> float:
    """Power of two that brings the range of x float64[n], n >= 1, to between 1 and 4; 0 where all are equal.

    scratch float64[2].
    """
    low, high = bounds(x, scratch)
    if low == high:
        return 0.0
    return power_of_two(high - low, scratch)  # an infinite range has the largest exponent


@exact_kernel
def scale(x: np.ndarray, unit: float, out: np.ndarray) -> None:
    """Write x times unit to out; float64[n] both."""
    for i in range(x.size):
        out[i] = x[i] * unit
