"""Clip: no single value may teach a walk more than 30 mean deviations.

Formula: mean +- 30 mean absolute deviations, both exponentially weighted with a span of 1,440 steps and learned from the
clipped values themselves, which begin at the median and the scaled median deviation of the newest 36 values once START
points are known. What has been
flat for long, so that its mean deviation is next to nothing, may move by 1 % of the mean. Source: one value of 1e6 in a series about 100 hid an outage
seven days later from every walk; with this no walk is hidden from.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.walks.layout import CLIP_DEVIATION, CLIP_MEAN, CLIP_STEPS, COUNTER, NEWEST, PACE, RING
from ridgeline.kernels.walks.numbers import counted, keep, kept, read, weight

SPAN: Final = 1440.0
ROOM: Final = 30.0
LEAST: Final = 0.01
MEAN_OF_MEDIAN: Final = 1.183  # mean absolute deviation over the median one, of normal numbers


@exact_kernel
def step(wide: np.ndarray, narrow: np.ndarray, x: float) -> float:
    """Return x clipped, and learn from it."""
    always_inline()
    mean, deviation = wide[CLIP_MEAN], read(narrow, CLIP_DEVIATION)
    x = clipped(mean, deviation, x)
    steps = counted(read(narrow, CLIP_STEPS))
    share = weight(steps, SPAN)
    away = x - mean
    wide[CLIP_MEAN] = kept(mean + share * away)
    keep(narrow, CLIP_DEVIATION, deviation + share * (abs(away) - deviation))
    narrow[CLIP_STEPS] = steps
    return x


@exact_kernel
def clipped(mean: float, deviation: float, x: float) -> float:
    """Return x, no further from the mean than it may be; free where neither mean nor deviation is known."""
    always_inline()
    room = max(ROOM * deviation, LEAST * abs(mean))
    if room > 0.0:
        x = min(max(x, mean - room), mean + room)
    return x


@exact_kernel
def begin(wide: np.ndarray, narrow: np.ndarray, scratch: np.ndarray) -> None:
    """Learn from the newest 36 values (of a counter from their rises a minute), and clip those of no counter.

    scratch float64[>= 2 RING].
    """
    never_inline()
    counter = narrow[COUNTER] != 0.0
    first = 1 if counter else 0
    values = scratch[: RING - first]
    for i in range(first, RING):
        x = read(narrow, NEWEST + i)
        values[i - first] = max(x - read(narrow, NEWEST + i - 1), 0.0) * 60.0 / read(narrow, PACE) if counter else x
    mean = _median(values)
    for i in range(values.size):
        values[i] = abs(values[i] - mean)
    keep(narrow, CLIP_DEVIATION, MEAN_OF_MEDIAN * _median(values))
    wide[CLIP_MEAN] = kept(mean)
    narrow[CLIP_STEPS] = RING
    if not counter:
        deviation = read(narrow, CLIP_DEVIATION)
        for i in range(NEWEST, NEWEST + RING):
            keep(narrow, i, clipped(wide[CLIP_MEAN], deviation, read(narrow, i)))


@exact_kernel
def _median(values: np.ndarray) -> float:
    """Return the median of values float64[n], which it sorts."""
    for i in range(1, values.size):
        value = values[i]
        j = i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
    middle = values.size // 2
    return values[middle] if values.size % 2 == 1 else (values[middle - 1] + values[middle]) / 2.0
