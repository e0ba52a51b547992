"""What rounding alone may make of a difference: the one guard of `native` against votes that mean nothing."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.shared.switches import GUARDED

NOISE: Final = 32.0 * 2.0**-52
"""Two values that differ by no more than this share of the larger one differ by rounding only: 32 units in the last
place of it, more than a sum of thousands of its like gathers."""
NEAR: Final = 4.0  # a moving sum this many times further apart than rounding is so in any arithmetic


@exact_kernel
def noise_of(a: float, b: float) -> float:
    """Return the largest difference of a and b that may be rounding."""
    always_inline()
    return NOISE * max(abs(a), abs(b))


@exact_kernel
def beyond(score: float, deviation: float, noise: float) -> float:
    """Return a score above 1 only where the deviation behind it is more than noise: else deviation / noise."""
    always_inline()
    if score > 1.0 and deviation <= noise and not np.isinf(deviation):
        return deviation / noise
    return score


@exact_kernel
def guarded(score: float, deviation: float, a: float, b: float, switches: np.ndarray) -> float:
    """Return the score of a deviation between a and b; at most 1 where they differ by rounding only.

    Only under profiles that guard; the others' arithmetic is left as it is.
    """
    always_inline()
    return beyond(score, deviation, noise_of(a, b)) if switches[GUARDED] != 0 else score
