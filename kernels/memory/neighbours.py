"""Whether a window is a counter's, kept up to date by its pairs of neighbours: one comes, one leaves.

The native rule of `prepare.counter` is one of counts: rises, drops and resets of pairs, points, and points below 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.layout import DROPS, RESETS, RISES
from ridgeline.kernels.memory.marks import add_to_half, half, put_half
from ridgeline.kernels.prepare.counter import DROPS as MOST_DROPS
from ridgeline.kernels.prepare.counter import POINTS, RISES_PER_DROP, count_drops, count_rises, falls_to_nothing
from ridgeline.kernels.prepare.counter import RISES as LEAST_RISES

COMES: Final = 1
LEAVES: Final = -1


@exact_kernel
def count_pair(w: np.ndarray, before: float, after: float, sign: int) -> None:
    """Let a pair of neighbours come to the window of the row w int64[HOT_WORDS], or leave it; sign: COMES or LEAVES."""
    if after > before:
        add_to_half(w, RISES, sign)
    elif after < before:
        add_to_half(w, DROPS, sign)
        if falls_to_nothing(before - after, after):
            add_to_half(w, RESETS, sign)


@exact_kernel
def count_pairs(w: np.ndarray, x: np.ndarray) -> None:
    """Count all pairs of a window x float64[n >= 1] into a row that has none."""
    drops = count_drops(x, x.size)
    put_half(w, RISES, count_rises(x))
    put_half(w, DROPS, drops)
    if drops > 0:
        for i in range(1, x.size):
            if x[i] < x[i - 1] and falls_to_nothing(x[i - 1] - x[i], x[i]):
                add_to_half(w, RESETS, 1)


@exact_kernel
def tells_counter(w: np.ndarray, points: int, negatives: int) -> bool:
    """Return whether the window, of so many points and of so many below 0, is a counter's by the native rule."""
    rises, drops = half(w, RISES), half(w, DROPS)
    if points < POINTS or drops > min((points - 1) // (RISES_PER_DROP + 1), MOST_DROPS):
        return False
    if rises < LEAST_RISES or drops * RISES_PER_DROP > rises or negatives > 0:
        return False
    return drops == 0 or half(w, RESETS) > 0
