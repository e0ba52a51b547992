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
from ridgeline.kernels.prepare.counter import POINTS, RISES_PER_DROP, falls_to_nothing
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
    """Count all pairs of a window x float64[n >= 1] into a row that has none.

    Without branches: of noise, every other pair is a drop, and wrong guesses would take longer than all else.
    """
    before = x[: x.size - 1]
    after = x[1:]
    rises = 0
    drops = 0
    resets = 0
    for i in range(after.size):
        fell = after[i] < before[i]
        rises += after[i] > before[i]
        drops += fell
        resets += fell & falls_to_nothing(before[i] - after[i], after[i])
    put_half(w, RISES, rises)
    put_half(w, DROPS, drops)
    put_half(w, RESETS, resets)


@exact_kernel
def tells_counter(w: np.ndarray, points: int, negatives: int) -> bool:
    """Return whether the window, of so many points and of so many below 0, is a counter's by the native rule."""
    rises, drops = half(w, RISES), half(w, DROPS)
    if points < POINTS or drops > min((points - 1) // (RISES_PER_DROP + 1), MOST_DROPS):
        return False
    if rises < LEAST_RISES or drops * RISES_PER_DROP > rises or negatives > 0:
        return False
    return drops == 0 or half(w, RESETS) > 0
