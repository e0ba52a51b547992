"""Seasonal residual r: how far a value is from what this hour of the day usually holds.

Formula: 24 slots, one an hour of the day, UTC. When a slot ends, the mean v of its values enters: c += 1,
m += max(.2, 1/c) (v - m). r = x - m once c >= 2. A slot ends when a point of another one comes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import HOURS, SLOT_POINTS, SLOT_SUM, SLOT_VISIT
from ridgeline.kernels.walks.numbers import keep, read

HOUR: Final = 3600
NEWEST_DAY: Final = 0.2  # the least weight of the newest day
DAYS: Final = 2.0  # that a slot must know
MOST_DAYS: Final = 15.0


@exact_kernel
def step(wide: np.ndarray, narrow: np.ndarray, slots: np.ndarray, t: int, x: float) -> tuple[bool, float, bool]:
    """Return whether this hour of the day is known, r, and whether one has ended. slots float32[SLOTS]: levels, then days."""
    always_inline()
    visit = np.float32(t // HOUR)
    points = read(narrow, SLOT_POINTS)
    ends = visit != narrow[SLOT_VISIT] and points > 0.0
    if ends:
        ended = np.int64(narrow[SLOT_VISIT]) % HOURS
        days = min(read(slots, HOURS + ended) + 1.0, MOST_DAYS)
        level = read(slots, ended)
        keep(slots, ended, level + max(NEWEST_DAY, 1.0 / days) * (wide[SLOT_SUM] / points - level))
        slots[HOURS + ended] = days
        wide[SLOT_SUM], points = 0.0, 0.0
    wide[SLOT_SUM] += x
    narrow[SLOT_POINTS], narrow[SLOT_VISIT] = points + 1.0, visit
    slot = np.int64(visit) % HOURS
    return slots[HOURS + slot] >= DAYS, x - read(slots, slot), ends
