"""The exponential of small arguments, without a maths library."""

from __future__ import annotations

from ridgeline.kernels._algorithm import exact_kernel


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
