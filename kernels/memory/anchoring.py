"""A series that was read in full, into its row."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.junction import proof_of
from ridgeline.kernels.memory.layout import (
    AHEAD,
    BEFORE,
    CHANGES,
    COUNT,
    DERIVED,
    EARLIER,
    EW_ERROR,
    EW_SQUARES,
    EW_SUM,
    JUNCTION,
    KNOWN,
    LAST,
    NEGATIVES,
    ODD,
    ORIGIN,
    PEAK,
    PROOF,
    QUEUE_AT,
    RAW_AT,
    RAW_COUNT,
    READING,
    RUN,
    SAME,
    SPAN,
    SPAN_POINTS,
    SQUARES,
    STEP,
    SUM,
    VALUE,
    VALUES,
    WATCHED,
    WATCHED_DERIVED,
)
from ridgeline.kernels.memory.marks import put_half, put_mark
from ridgeline.kernels.memory.passes import window_sums
from ridgeline.kernels.prepare.layout import DERIVE, DETECT, LAST_VALUE, ZERO_FILL
from ridgeline.kernels.prepare.layout import DERIVED as TURNED
from ridgeline.kernels.shared.steps import count_steps, median_step
from ridgeline.kernels.shared.survey import survey

# Rounding in sums made at once, as EW_ERROR counts it: more than that of 2,000 additions one after the other.
AT_ONCE: Final = 128.0


@exact_kernel
def origin_of(x: np.ndarray, level: float) -> float:
    """Return a value near the mean of x float64[n >= 1]: the level, where that is a number, or what a pass finds."""
    if np.isfinite(level):
        return level
    total, _, _ = survey(x, x[0])
    mean = x[0] + total / x.size
    return mean if np.isfinite(mean) else x[0]


@exact_kernel
def run_of(x: np.ndarray) -> int:
    """Return how many of the newest of x float64[n >= 1] have one value."""
    n = x.size
    run = 1
    while run < n and x[n - 1 - run] == x[n - 1]:
        run += 1
    return run


@exact_kernel
def anchor_sums(w: np.ndarray, f: np.ndarray, x: np.ndarray, level: float, weights: np.ndarray) -> None:
    """Write the sums of a window x float64[n >= 1] to the row w int64[HOT_WORDS], f its float64 view.

    level: about its mean, or NaN; weights float64[>= n]: exponential ones, newest (1) last.
    """
    n = x.size
    origin = origin_of(x, level)
    f[ORIGIN] = origin
    weights = weights[weights.size - n : weights.size - 1]
    f[SUM], f[SQUARES], weighted, weighted_squares, w[NEGATIVES] = window_sums(x[: n - 1], weights, origin)
    f[PEAK] = f[SQUARES]
    w[CHANGES] = n
    newest = x[n - 1] - origin  # its weight is 1
    f[EW_SUM] = weighted + newest
    f[EW_SQUARES] = weighted_squares + newest * newest
    f[EW_ERROR] = AT_ONCE * f[EW_SQUARES]
    w[COUNT] = n
    w[NEGATIVES] += x[n - 1] < 0.0
    w[RUN] = run_of(x)
    f[VALUE] = x[n - 1]
    f[BEFORE] = x[max(n - 2, 0)]
    f[EARLIER] = x[max(n - 3, 0)]


@exact_kernel
def state_of(ask: int, done: int) -> int:
    """Return what a row is by what was asked for its series and what was done (`prepare.layout`)."""
    if ask & (ZERO_FILL | LAST_VALUE) != 0:
        return ODD
    if done & TURNED != 0:
        return DERIVED if ask & DERIVE != 0 else WATCHED_DERIVED
    if ask & DERIVE != 0:
        return ODD  # a declared counter of too few points, or one that never rose
    return WATCHED if ask & DETECT != 0 else VALUES


@exact_kernel
def anchor_readings(w: np.ndarray, f: np.ndarray, t: np.ndarray, x: np.ndarray, at: int, raw_at: int) -> None:
    """Write what is kept of a counter's own window t int64[n >= 1], x float64[n], to the row w of its rises.

    at, raw_at: places in the queue of the point before the next rise to leave, and of the next point.
    """
    f[READING] = x[x.size - 1]
    put_half(w, RAW_COUNT, x.size)
    put_half(w, AHEAD, t[t.size - 1] - w[LAST])
    put_half(w, RAW_AT, raw_at)
    w[QUEUE_AT] = at


@exact_kernel
def anchor_times(w: np.ndarray, t: np.ndarray, scratch: np.ndarray) -> None:
    """Write what a window's timestamps t int64[n >= 1] tell to the row w; scratch float64[>= 4 n + 128]."""
    n = t.size
    w[LAST] = t[n - 1]
    w[STEP] = t[n >> 1] - t[(n - 1) >> 1]
    w[SAME] = count_steps(t, w[STEP])
    if w[STEP] <= 0 or 2 * w[SAME] <= n - 1:  # not more than half: the median is to be looked for
        w[STEP] = median_step(t, scratch)
        w[SAME] = count_steps(t, w[STEP])
    w[SPAN] = t[n - 1] - t[max(n - SPAN_POINTS, 0)]


@exact_kernel
def anchor_proof(w: np.ndarray, t: np.ndarray, x: np.ndarray) -> None:
    """Write the proof of a key's points t int64[n >= 1], x float64[n], to the row w."""
    n = t.size
    known = min(PROOF, n)
    put_mark(w, KNOWN, known)
    w[JUNCTION] = proof_of(t, x.view(np.int64), n - known, n)
