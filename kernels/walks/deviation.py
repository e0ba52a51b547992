"""Seasonal deviation Z: whether the newest 12 residuals lie off those before them.

Formula: |mean of the newest 12 r - mean of older r| / (3 sd of older r), mean and sd exponentially weighted with a span of
8,640 steps. r: `slots`, where the hour is known.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import RECENT, START, Z_MEAN, Z_RING, Z_SD, Z_STEPS
from ridgeline.kernels.walks.numbers import counted, fraction, keep, mean_of, push, read, spread_after, weight

SPAN: Final = 8640.0
SIGMAS: Final = 3.0


@exact_kernel
def step(narrow: np.ndarray, residual: float) -> float:
    """Return Z after this residual, -1 while less than START older ones are known."""
    always_inline()
    steps = counted(read(narrow, Z_STEPS))
    narrow[Z_STEPS] = steps
    older = steps - RECENT
    if older >= 1.0:
        share = weight(older, SPAN)
        mean = read(narrow, Z_MEAN)
        away = read(narrow, Z_RING) - mean
        keep(narrow, Z_MEAN, mean + share * away)
        keep(narrow, Z_SD, spread_after(read(narrow, Z_SD), away, share))
    push(narrow, Z_RING, RECENT, residual)
    if older < START:
        return -1.0
    return fraction(abs(mean_of(narrow, Z_RING, RECENT) - read(narrow, Z_MEAN)), SIGMAS * read(narrow, Z_SD))
