"""Sums of a window that slides: a point comes, the oldest leaves.

History and newest point are kept apart, for to subtract a spike that has just come would lose all digits; everything is
about an origin near the mean. All rounding is bounded by what the row carries: CHANGES times PEAK for the plain sums,
EW_ERROR for the weighted ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.layout import (
    BEFORE,
    CHANGES,
    COUNT,
    EARLIER,
    EW_ERROR,
    EW_SQUARES,
    EW_SUM,
    HELD,
    LAST,
    NEGATIVES,
    OK,
    ORIGIN,
    PEAK,
    QUEUE_AT,
    RUN,
    SAME,
    SQUARES,
    STEP,
    SUM,
    VALUE,
)
from ridgeline.kernels.memory.neighbours import LEAVES, count_pair
from ridgeline.kernels.memory.queue import reach, reach_after, time_at, value_at
from ridgeline.kernels.shared.weights import DECAY


@exact_kernel
def push(w: np.ndarray, f: np.ndarray, t: int, x: float) -> None:
    """Add a point that is later than all others to the row w int64[HOT_WORDS], f its float64 view.

    The weighted sums are those of `stddev_from_moving_average`, for which every other point loses weight by one step.
    """
    d = f[VALUE] - f[ORIGIN]
    f[SUM] += d
    f[SQUARES] += d * d
    f[PEAK] = max(f[PEAK], f[SQUARES])
    w[CHANGES] += 1
    d = x - f[ORIGIN]
    f[EW_SUM] = DECAY * f[EW_SUM] + d
    f[EW_SQUARES] = DECAY * f[EW_SQUARES] + d * d
    f[EW_ERROR] = DECAY * f[EW_ERROR] + f[EW_SQUARES]
    w[RUN] = w[RUN] + 1 if x == f[VALUE] else 1
    w[NEGATIVES] += x < 0.0
    w[SAME] += t - w[LAST] == w[STEP]
    f[EARLIER] = f[BEFORE]
    f[BEFORE] = f[VALUE]
    f[VALUE] = x
    w[LAST] = t
    w[COUNT] += 1


@exact_kernel
def pop(w: np.ndarray, f: np.ndarray, x: float, weights: np.ndarray) -> None:
    """Take the oldest point, which is not the newest, off the row's sums; weights float64[>= COUNT], newest (1) last."""
    d = x - f[ORIGIN]
    weight = weights[weights.size - w[COUNT]]
    f[SUM] -= d
    f[SQUARES] -= d * d
    w[CHANGES] += 1
    f[EW_SUM] -= weight * d
    f[EW_SQUARES] -= weight * d * d
    w[NEGATIVES] -= x < 0.0
    w[COUNT] -= 1
    w[HELD] = max(w[HELD], 1)  # whatever the key began with, it is older than the window now


@exact_kernel
def pop_before(w: np.ndarray, f: np.ndarray, q: np.ndarray, qx: np.ndarray, oldest: int, weights: np.ndarray) -> int:
    """Take off all points before `oldest`; return OK, READ_QUEUE where not all of them are known, or READ_DAMAGED.

    q int64[QUEUE_WORDS], qx its float64 view: the row's queue.
    """
    place = w[QUEUE_AT]
    status = reach(w, q, place)
    while status == OK and time_at(w, q, place) < oldest:
        t, x = time_at(w, q, place), value_at(qx, place)
        pop(w, f, x, weights)
        place += 1
        status = reach_after(w, q, place)
        if status == OK:
            count_pair(w, x, value_at(qx, place), LEAVES)
            w[SAME] -= time_at(w, q, place) - t == w[STEP]
    w[QUEUE_AT] = place
    return status


@exact_kernel
def has_room(w: np.ndarray, coming: int, rules: Any) -> bool:
    """Return whether the tables reach as far as the row's points and so many more; a damaged number of points has none."""
    most = min(rules.weights.size, rules.totals.size, rules.scales.size, rules.critical.shape[1]) - 1
    return 0 < w[COUNT] <= most - coming
