"""Record: whether a value lies further off the line before it than any has of late.

Formula: min(T, e / (1.3 M)), M being the largest e older than an hour, fading to 1/e in 7 days: M /= 1 + seconds / 7 days,
from one e to the next.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.numbers import fraction

HOUR: Final = 3600
WEEK: Final = 604_800.0
BEYOND: Final = 1.3  # times the record before


@exact_kernel
def faded(most: float, seconds: float) -> float:
    """Return a record of `seconds` ago as it counts now."""
    always_inline()
    return most / (1.0 + seconds / WEEK)


@exact_kernel
def behind(score: float, error: float, most: float) -> float:
    """Return a score of an error, no higher than that error against the record before it, `most`."""
    always_inline()
    return min(score, fraction(error, BEYOND * most))
