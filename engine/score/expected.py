"""What would have been nothing remarkable: the range that an anomaly is told against."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

TAIL: Final = 3  # newest points that are left out: those of the anomaly itself
SIGMAS: Final = 3.0


def expected(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Mean less and plus 3 standard deviations (ddof 1) of float64[n] values without the newest three.

    None below five values, and where a bound is too large for a number.
    """
    history = values[:-TAIL]
    count = len(history)
    if count < 2:
        return None
    _, exponent = math.frexp(max(float(history.max()), -float(history.min())))
    scaled = np.ldexp(history, -exponent)  # exact, and no square or sum of it overflows or vanishes
    mean = float(np.add.reduce(scaled)) / count
    scaled -= mean
    spread = SIGMAS * math.sqrt(float(np.add.reduce(scaled * scaled)) / (count - 1))
    try:
        return math.ldexp(mean - spread, exponent), math.ldexp(mean + spread, exponent)
    except OverflowError:
        return None
