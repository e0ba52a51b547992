"""One point of one metric through all walks."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.walks import clip, deviation, extrapolation, novelty, outage, pace, pages, slots
from ridgeline.kernels.walks.layout import (
    COUNTER,
    DEVIATION,
    ERROR,
    EXTRAPOLATION,
    HIGH,
    LAST,
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
) -> None:
    """Walk one point newer than all before it, and write its scores; the arrays are those of `layout`, one row's.

    scores float32[SCORES]; scratch float64[>= 2 RING]. A channel that has not learned enough scores 0 and sets its bit.
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
        return
    if changed:
        clip.begin(wide, narrow, scratch)
        outage.forget(wide, narrow, profile, row, rows)
    if narrow[COUNTER] != 0.0:
        walked = np.float64(np.float32(clip.step(wide, narrow, pace.rise_a_minute(apart, before, x))))
        x = np.float64(np.float32(x))
    else:
        walked = x = np.float64(np.float32(clip.step(wide, narrow, x)))
    known, residual = slots.step(wide, narrow, slots_row, t, x)
    z = deviation.step(narrow, residual) if known else -1.0
    line, scores[ERROR] = extrapolation.step(narrow, x)
    push(narrow, NEWEST, RING, x)
    novel = novelty.step(wide, narrow, leaders, scratch.view(np.float32))
    gated, ungated, low, high = outage.step(wide, narrow, profile, row, rows, t, walked)
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


@exact_kernel
def finite(wide: np.ndarray, narrow: np.ndarray) -> bool:
    """Return whether every number of a hot row is finite."""
    always_inline()
    total = 0.0
    for i in range(wide.size):
        total += wide[i] * 0.0
    bits = narrow.view(np.int32)
    odd = 0
    for i in range(2 * wide.size, bits.size):
        odd |= (bits[i] & 0x7F800000) == 0x7F800000
    return total == 0.0 and odd == 0
