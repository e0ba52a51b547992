"""Smallest and largest value of a row, by integer keys."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline

LARGEST: Final = 0x7FFFFFFFFFFFFFFF


@exact_kernel
def bounds(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float]:
    """Return (min, max) of x float64[n], n >= 1, finite; scratch float64[>= 2].

    LLVM vectorises integer minima but not NaN-safe float ones, and the bits of a finite double, all but the sign
    inverted where it is negative, keep its order.
    """
    never_inline()
    b = x.view(np.int64)
    low = LARGEST
    high = -LARGEST - 1
    for i in range(b.size):
        k = b[i] ^ ((b[i] >> 63) & LARGEST)
        low = min(low, k)
        high = max(high, k)
    back = scratch[:2].view(np.int64)
    back[0] = low ^ ((low >> 63) & LARGEST)
    back[1] = high ^ ((high >> 63) & LARGEST)
    return scratch[0], scratch[1]
