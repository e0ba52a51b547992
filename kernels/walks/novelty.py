"""Novelty N: whether the newest values make a pattern that was not seen before.

Formula: f = (mean of the newest 3, mean of the newest 36). The scale of each coordinate is min(max - min, 6 sd) of all
earlier f. d = the least, over up to 64 leaders, of the larger of the two |f - leader| / scale. N = d / .14; where d > .14, f
becomes a leader, and the one matched longest ago makes room. 0 for the first START. Beyond 100,000 steps, maximum, minimum
and sd fade with that span. Source: leaders, as in clustering by leaders (Hartigan, Clustering Algorithms, 1975).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import (
    LEADERS,
    LONG_HIGH,
    LONG_LOW,
    LONG_MEAN,
    LONG_SD,
    N_LEADERS,
    N_STEPS,
    NEWEST,
    RING,
    SHORT_HIGH,
    SHORT_LOW,
    SHORT_MEAN,
    SHORT_SD,
    START,
)
from ridgeline.kernels.walks.numbers import MOST, fraction, keep, kept, mean_of, read, spread_after

FEW: Final = 3
DISTANCE: Final = 0.14
SIGMAS: Final = 6.0
UNIT: Final = 64  # steps, in which the last use of a leader is told
LAST_STEP: Final = 16_000_000.0  # a float32 counts no further


@exact_kernel
def step(wide: np.ndarray, narrow: np.ndarray, leaders: np.ndarray, scratch: np.ndarray) -> tuple[float, bool]:
    """Return N of the newest values, -1 for the first START, and whether a leader was written to.

    leaders float32[LEADERS_ROOM]; scratch float32[>= LEADERS].
    """
    always_inline()
    last = NEWEST + RING - 1
    short = (read(narrow, last - 2) + read(narrow, last - 1) + read(narrow, last)) / FEW
    long = mean_of(narrow, NEWEST, RING)
    steps = read(narrow, N_STEPS)
    known = np.int64(narrow[N_LEADERS])
    now = np.float32(np.int64(steps) // UNIT)
    distance, nearest = _nearest(narrow, leaders, known, short, long, scratch)
    used = True
    if known == 0 or distance > DISTANCE:
        place = known if known < LEADERS else _longest_ago(leaders)
        keep(leaders, place, short)
        keep(leaders, LEADERS + place, long)
        leaders[2 * LEADERS + place] = now
        narrow[N_LEADERS] = min(known + 1, LEADERS)
    elif leaders[2 * LEADERS + nearest] != now:
        leaders[2 * LEADERS + nearest] = now
    else:
        used = False
    steps = min(steps + 1.0, LAST_STEP)
    narrow[N_STEPS] = steps
    _learn(wide, narrow, SHORT_MEAN, SHORT_LOW, short, steps)
    _learn(wide, narrow, LONG_MEAN, LONG_LOW, long, steps)
    return (fraction(distance, DISTANCE) if steps > START else -1.0), used


@exact_kernel
def _nearest(
    narrow: np.ndarray, leaders: np.ndarray, known: int, short: float, long: float, scratch: np.ndarray
) -> tuple[float, int]:
    """Return the distance to the nearest of the known leaders, and its place; computed in float32."""
    always_inline()
    a, b = np.float32(short), np.float32(long)
    share_a = _share(narrow, SHORT_LOW, SHORT_HIGH, SHORT_SD)
    share_b = _share(narrow, LONG_LOW, LONG_HIGH, LONG_SD)
    for i in range(known):
        u = abs(leaders[i] - a) * share_a
        v = abs(leaders[LEADERS + i] - b) * share_b
        scratch[i] = max(v, u)
    bits = scratch.view(np.int32)  # distances are not below 0: their bits are in their order
    least = np.int32(0x7FFFFFFF)
    for i in range(known):
        least = min(least, bits[i])
    nearest = np.int32(LEADERS - 1)
    for i in range(known):
        nearest = min(nearest, np.int32(i) if bits[i] == least else np.int32(LEADERS - 1))
    return (np.float64(scratch[nearest]) if known > 0 else 0.0), int(nearest)


@exact_kernel
def _share(narrow: np.ndarray, low: int, high: int, sd: int) -> np.float32:
    """Return one over the scale of a coordinate; without any scale, what makes every difference a large one."""
    always_inline()
    scale = min(read(narrow, high) - read(narrow, low), SIGMAS * read(narrow, sd))
    return np.float32(1.0 / scale) if scale > 0.0 else np.float32(1e37)


@exact_kernel
def _longest_ago(leaders: np.ndarray) -> int:
    """Return the place of the leader that was matched longest ago, of equals the first."""
    place = 0
    for i in range(1, LEADERS):
        if leaders[2 * LEADERS + i] < leaders[2 * LEADERS + place]:
            place = i
    return place


@exact_kernel
def _learn(wide: np.ndarray, narrow: np.ndarray, middle: int, low: int, value: float, steps: float) -> None:
    """Let a coordinate's value into its mean, range and sd: `low` is followed by the places of `high` and `sd`."""
    always_inline()
    high, sd = low + 1, low + 2
    mean = wide[middle]
    away = value - mean
    share = 1.0 / min(steps, MOST)
    wide[middle] = kept(mean + share * away)
    keep(narrow, sd, spread_after(read(narrow, sd), away, share))
    least, most = read(narrow, low), read(narrow, high)
    if steps == 1.0:
        least = most = value
    elif steps > MOST:
        least += (mean - least) / MOST
        most += (mean - most) / MOST
    keep(narrow, low, min(least, value))
    keep(narrow, high, max(most, value))
