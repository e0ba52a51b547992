"""The windows of a series one after the other: counts kept up to date, steps looked for anew."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.prepare.counter import DROPS, POINTS, RISES_PER_DROP, falls_to_nothing, is_counter, least_rises
from ridgeline.kernels.prepare.filling import filling_step


@exact_kernel
def counters_into(
    t: np.ndarray, x: np.ndarray, window: int, skyline: int, out: np.ndarray, scratch: np.ndarray
) -> None:
    """Write to out uint8[n], for each point of t int64[n] ascending, x float64[n], whether its window is a counter's.

    The window of a point are the points in (t - window, t]. Its negatives, rises, drops and resets are kept up to date
    from one point to the next; Skyline's resets, measured against the window's range, are looked for anew. scratch
    float64[>= 2].
    """
    least = least_rises(skyline)
    negatives = 0
    rises = 0
    drops = 0
    resets = 0
    first = 0
    for i in range(t.size):
        negatives += x[i] < 0.0
        if i > 0:
            rises += x[i] > x[i - 1]
            drops += x[i] < x[i - 1]
            resets += x[i] < x[i - 1] and falls_to_nothing(x[i - 1] - x[i], x[i])
        while t[first] <= t[i] - window:
            negatives -= x[first] < 0.0
            first += 1
            rises -= x[first] > x[first - 1]
            drops -= x[first] < x[first - 1]
            resets -= x[first] < x[first - 1] and falls_to_nothing(x[first - 1] - x[first], x[first])
        found = i - first + 1 >= POINTS and negatives == 0 and rises >= least
        found = found and drops * RISES_PER_DROP <= rises and drops <= DROPS
        if found and drops > 0:
            found = resets > 0 if skyline == 0 else is_counter(x[first : i + 1], skyline, scratch)
        out[i] = found


@exact_kernel
def filling_steps_into(t: np.ndarray, window: int, skyline: int, out: np.ndarray, scratch: np.ndarray) -> None:
    """Write to out int64[n], for each point of t int64[n] ascending, the step at which its window is filled, 0 where it is not.

    scratch float64[>= ROOM].
    """
    first = 0
    for i in range(t.size):
        while t[first] <= t[i] - window:
            first += 1
        out[i] = filling_step(t[first : i + 1], window, skyline, scratch)
