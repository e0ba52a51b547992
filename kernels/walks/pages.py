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
MOST: Final = 3  # of OF


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
    return kth_largest(narrow, NEWEST_SCORES, OF, MOST)


@exact_kernel
def kth_largest(row: np.ndarray, begin: int, size: int, k: int) -> float:
    """Return the k-th largest of row[begin : begin + size]: above 1 exactly where k of them are."""
    always_inline()
    for i in range(begin, begin + size):
        above = 0
        for j in range(begin, begin + size):
            above += (row[j] > row[i]) | ((row[j] == row[i]) & (j < i))
        if above == k - 1:
            return np.float64(row[i])
    return 0.0
