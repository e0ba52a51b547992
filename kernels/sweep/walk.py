"""One pass over the steps above a threshold: which of them alert, and what that comes to, for every expiration."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.sweep.layout import (
    ALARMS,
    FOUND,
    HIT,
    LAST,
    LOT,
    NAB,
    NAB_WINDOW,
    OUTSIDE,
    PAGES,
    PROBATION,
    QUIET,
    SPAN,
    TRUE,
)

EVER: int = -(1 << 62)
NO_STEP: int = -2


@exact_kernel
def walk(
    events: np.ndarray,
    offsets: np.ndarray,
    timestamps: np.ndarray,
    facts: np.ndarray,
    ordinals: np.ndarray,
    truth: tuple[np.ndarray, ...],
    strategies: np.ndarray,
    often: np.ndarray,
    expirations: np.ndarray,
    scratch: tuple[np.ndarray, np.ndarray],
    token: int,
    first: int,
    lots: int,
    tallies: np.ndarray,
) -> None:
    """Add to tallies[first:], X times `lots` rows, what the events, ascending, come to.

    A step alerts where `often[0]` of its metric's last `often[1]` judged steps are events, it among them, and the last alert
    is an expiration ago. `token` is one that `heard` does not hold; see `entry` for the rest.
    """
    spans, windows, window_lots, worth = truth
    lanes, heard = scratch
    metric, begin, end = -1, 0, -1
    m, n = often[0], often[1]
    for at in range(events.size):
        step = events[at]
        if step >= end:
            while step >= offsets[metric + 1]:
                metric += 1
            end, begin = offsets[metric + 1], at
            for lane in range(expirations.size):
                lanes[QUIET, lane] = EVER
                lanes[LAST, lane] = NO_STEP
        if m > 1 and (at - m + 1 < begin or ordinals[step] - ordinals[events[at - m + 1]] >= n):
            continue
        t = timestamps[step]
        for lane in range(expirations.size):
            if t < lanes[QUIET, lane]:
                continue
            lanes[QUIET, lane] = t + expirations[lane]
            base = first + lane * lots
            here = base + facts[LOT, step]
            tallies[here, PAGES] += strategies[metric]
            if lanes[LAST, lane] != step - 1:
                tallies[here, ALARMS] += 1.0
                lanes[HIT, lane] = 0
            lanes[LAST, lane] = step
            span = facts[SPAN, step]
            if spans[span] < spans[span + 1] and lanes[HIT, lane] == 0:
                tallies[here, TRUE] += 1.0
                lanes[HIT, lane] = 1
            for place in range(spans[span], spans[span + 1]):
                window = windows[place]
                if heard[2 * lane, window] != token:
                    heard[2 * lane, window] = token
                    tallies[base + window_lots[window], FOUND] += 1.0
            found = facts[NAB_WINDOW, step]
            if found == OUTSIDE:
                tallies[here, NAB] += worth[step]
            elif found != PROBATION and heard[2 * lane + 1, found] != token:
                heard[2 * lane + 1, found] = token
                tallies[base + window_lots[found], NAB] += worth[step]
