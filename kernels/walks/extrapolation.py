"""Extrapolation T: whether a value lies off the straight line through the 12 before it.

Formula: e = |x - the least-squares line through the 12 values before, one step on|; T = (e - mean of e) / (3 sd of e), both
exponentially weighted with a span of 20,000 steps and from before this step. T speaks above 3. The line through y[0..11]
at 12 is the sum of y[i] (3i - 11) / 66.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import NEWEST, RECENT, RING, START, T_MEAN, T_SD, T_STEPS
from ridgeline.kernels.walks.numbers import counted, fraction, keep, read, spread_after, weight

SPAN: Final = 20_000.0
SIGMAS: Final = 3.0


@exact_kernel
def step(narrow: np.ndarray, x: float) -> tuple[float, float]:
    """Return T of x, which is not in the ring of newest values yet, -1 while less than START errors are known; and e."""
    always_inline()
    origin = read(narrow, NEWEST + RING - 1)
    line = 0.0
    for i in range(RECENT):
        line += (read(narrow, NEWEST + RING - RECENT + i) - origin) * (3 * i - 11)
    error = abs(x - origin - line / 66.0)
    steps = read(narrow, T_STEPS)
    mean, sd = read(narrow, T_MEAN), read(narrow, T_SD)
    above = max(error - mean, 0.0)
    score = fraction(above, SIGMAS * sd) if steps >= START else -1.0
    steps = counted(steps)
    share = weight(steps, SPAN)
    away = error - mean
    keep(narrow, T_MEAN, mean + share * away)
    keep(narrow, T_SD, spread_after(sd, away, share))
    narrow[T_STEPS] = steps
    return score, error
