"""The rule `pages`: one score of the walks alone, made for those who are woken at night.

Formula: D = max((Z + N) / 2, T / 3). Where the usual step is below 5 minutes, D counts only where U > .5, and three of its
newest 5 must be above 1: their third largest counts. The score is the larger of that and W; with longer steps of D and W.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import CEILING, NEWEST_SCORES, OF, PACE
from ridgeline.kernels.walks.numbers import push, read

SPIKE: Final = 3.0  # T above which an extrapolation speaks
SHORT_PACE: Final = 300.0
LIKELY: Final = 0.5


@exact_kernel
def pattern(deviation: float, novelty: float, extrapolation: float) -> float:
    """Return D, of channels that are 0 while they learn."""
    always_inline()
    return min(max((deviation + novelty) / 2.0, extrapolation / SPIKE), CEILING)


@exact_kernel
def lasting(narrow: np.ndarray, pattern: float, ungated: float) -> float:
    """Return what D counts for, > 1 where the metric is anomalous by it."""
    always_inline()
    push(narrow, NEWEST_SCORES, OF, pattern if ungated > LIKELY else 0.0)
    if read(narrow, PACE) >= SHORT_PACE:
        return pattern
    ring = narrow[NEWEST_SCORES : NEWEST_SCORES + OF]
    return np.float64(middle(ring[0], ring[1], ring[2], ring[3], ring[4]))


@exact_kernel
def middle(a: float, b: float, c: float, d: float, e: float) -> float:
    """Return the third largest of five numbers: above 1 exactly where three of them are."""
    always_inline()
    low, high = max(min(a, b), min(c, d)), min(max(a, b), max(c, d))
    return max(min(low, high), min(max(low, high), e))
