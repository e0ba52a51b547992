"""Exact scaling by powers of two, and the exponential of small arguments, without a maths library."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel


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
def exp_small(y: float) -> float:
    """e**y for |y| <= 4, to a few units in the last place: Taylor's series of y / 8, squared three times.

    Written out so that every machine, with and without numba's runtime, gets the same bits.
    """
    u = y / 8.0
    total = 1.0
    for i in range(15, 0, -1):
        total = 1.0 + u * total / i
    total *= total
    total *= total
    return total * total
