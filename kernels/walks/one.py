"""One point of one metric through all walks."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.walks import clip, deviation, extrapolation, novelty, outage, pace, pages, slots
from ridgeline.kernels.walks.layout import (
    BEGAN_ANEW,
    COUNTER,
    DEVIATION,
    ERROR,
    EXTRAPOLATION,
    HIGH,
    HOT,
    HOUR_ENDED,
    LAST,
    LEADER_USED,
    LEARNING,
    LOW,
    NEWEST,
    NOVELTY,
    OUTAGE,
    PACE,
    PAGES,
    PATTERN,
    POINTS,
    RESIDUAL,
    RING,
    START,
    UNGATED,
    UNRIPE_DEVIATION,
    UNRIPE_EXTRAPOLATION,
    UNRIPE_NOVELTY,
    UNRIPE_OUTAGE,
    USUAL_STEP,
    WATERMARK,
    WIDE,
    WIDTH,
)
from ridgeline.kernels.walks.numbers import LARGEST, push


@exact_kernel
def step(
    wide: np.ndarray,
    narrow: np.ndarray,
    slots_row: np.ndarray,
    leaders: np.ndarray,
    profile: np.ndarray,
    row: int,
    rows: int,
    t: int,
    x: float,
    scores: np.ndarray,
    scratch: np.ndarray,
) -> int:
    """Walk one point newer than all before it, write its scores, and return bits of what it wrote to (`HOUR_ENDED`, ...).

    The arrays are those of `layout`, one row's; scores float32[SCORES]; scratch float64[>= 2 RING]. A channel that has not
    learned enough scores 0 and sets its bit.
    """
    never_inline()
    x = min(max(x, -LARGEST), LARGEST)
    scores[:] = 0.0
    scores[LOW] = scores[HIGH] = np.nan
    scores[LEARNING] = UNRIPE_OUTAGE | UNRIPE_DEVIATION | UNRIPE_NOVELTY | UNRIPE_EXTRAPOLATION
    before, apart = wide[LAST], t - wide[WATERMARK]
    fresh = narrow[POINTS] == 0.0
    changed = False if fresh else pace.step(wide, narrow, t, x)
    wide[WATERMARK], wide[LAST] = t, x
    scores[USUAL_STEP] = narrow[PACE]
    if narrow[POINTS] < START:
        narrow[POINTS] += 1.0
        push(narrow, NEWEST, RING, x)
        if narrow[POINTS] == START:
            clip.begin(wide, narrow, scratch)
        return 0
    wrote = 0
    if changed:
        clip.begin(wide, narrow, scratch)
        wrote |= BEGAN_ANEW if narrow[WIDTH] > 0.0 else 0
        outage.forget(wide, narrow, profile, row, rows)
    if narrow[COUNTER] != 0.0:
        walked = np.float64(np.float32(clip.step(wide, narrow, pace.rise_a_minute(apart, before, x))))
        x = np.float64(np.float32(x))
    else:
        walked = x = np.float64(np.float32(clip.step(wide, narrow, x)))
    known, residual, ended = slots.step(wide, narrow, slots_row, t, x)
    z = deviation.step(narrow, residual) if known else -1.0
    line, scores[ERROR] = extrapolation.step(narrow, x)
    push(narrow, NEWEST, RING, x)
    novel, used = novelty.step(wide, narrow, leaders, scratch.view(np.float32))
    gated, ungated, low, high, cells = outage.step(wide, narrow, profile, row, rows, t, walked)
    if narrow[COUNTER] == 0.0:  # a counter's rise a minute is not in its unit
        scores[LOW], scores[HIGH] = low, high
    scores[LEARNING] = (
        (UNRIPE_DEVIATION if z < 0.0 else 0)
        | (UNRIPE_EXTRAPOLATION if line < 0.0 else 0)
        | (UNRIPE_NOVELTY if novel < 0.0 else 0)
        | (UNRIPE_OUTAGE if ungated < 0.0 else 0)
    )
    z, line, novel, ungated = max(z, 0.0), max(line, 0.0), max(novel, 0.0), max(ungated, 0.0)
    scores[RESIDUAL] = residual if known else 0.0
    scores[DEVIATION], scores[EXTRAPOLATION], scores[NOVELTY] = z, line, novel
    scores[OUTAGE], scores[UNGATED] = gated, ungated
    scores[PATTERN] = pages.lasting(narrow, pages.pattern(z, novel, line), ungated)
    scores[PAGES] = max(scores[PATTERN], scores[OUTAGE])
    return wrote | cells | (HOUR_ENDED if ended else 0) | (LEADER_USED if used else 0)


@exact_kernel
def finite(wide: np.ndarray, narrow: np.ndarray) -> bool:
    """Return whether every number of a hot row is finite."""
    always_inline()
    long, short = wide.view(np.int64), narrow.view(np.int32)
    odd = 0
    for i in range(WIDE):
        odd |= (long[i] & 0x7FF0000000000000) == 0x7FF0000000000000
    for i in range(2 * WIDE, 2 * HOT):
        odd |= (short[i] & 0x7F800000) == 0x7F800000
    return odd == 0
