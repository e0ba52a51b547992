"""median_absolute_deviation and histogram_bins at every step of a chunk, over the bitmap of its ranks."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.histogram_bins import score_of_count
from ridgeline.kernels.replay import histogram, median_mad
from ridgeline.kernels.replay.bitmap import clear
from ridgeline.kernels.replay.median_mad import HIGHEST, LOWEST
from ridgeline.kernels.replay.sums_scores import GUARD, loud, settled, surely_apart
from ridgeline.kernels.score.layout import HISTOGRAM_BINS, MEDIAN_ABSOLUTE_DEVIATION

_clear = clear
_restart = median_mad.restart
_take_up = median_mad.take_up
_keep = median_mad.keep
_enter = median_mad.enter
_leave = median_mad.leave
_centre_of = median_mad.centre_of
_deviation = median_mad.deviation
_forget = histogram.forget
_follow = histogram.follow
_count = histogram.count
UNDECIDED = histogram.UNDECIDED


@exact_kernel
def fill(rank, begin, end, ranks, tree, walk_state, bin_state, edges):
    """Empty the bitmap (`ranks` points in the chunk) and let the points begin..end-1 (chunk places) enter."""
    never_inline()
    _clear(tree, ranks + 2)
    state = _restart(ranks + 1)
    _forget(bin_state, edges)
    for i in range(begin, end):
        state = _enter(tree, state, np.int64(rank[i]))
    _keep(state, walk_state)


@exact_kernel
def mad_score(newest, centre, mad, threshold):
    """Return the score of `median_absolute_deviation`, as its kernel defines it."""
    always_inline()
    if not mad > 0.0:
        return 0.0
    statistic = abs(newest - centre) / mad
    score = statistic / threshold
    if statistic > threshold:
        return max(score, np.nextafter(1.0, 2.0))
    return min(score, 1.0)


@exact_kernel
def walk(
    x, begin, end, base, lo, first, live, rank, sx, ranks, tree, walk_state, bin_state, edges,
    rule, guarded, with_mad, with_bins, mad_threshold, mad_cutoff, bin_threshold, table, doubt,
):  # fmt: skip
    """Move the window over the points begin..end-1; score both algorithms where live[j] is non-zero.

    `base` is the index of the chunk's first point, place 0 of rank int32[ranks]; sx float64[ranks + 2].
    table float64[9, >= end - begin] by algorithm; doubt: bits of the algorithms to compute directly.
    """
    never_inline()
    top = ranks + 1
    few = np.floor(bin_threshold)
    points = x[base:]
    state = _take_up(walk_state)
    for j in range(end - begin):
        i = begin + j
        f = first[j]
        for k in range(lo - base, f - base):
            state = _leave(tree, state, np.int64(rank[k]))
        state = _enter(tree, state, np.int64(rank[i - base]))
        if with_bins:
            _follow(
                tree, bin_state, edges, sx, rank, points, state[LOWEST], state[HIGHEST],
                lo - base, f - base, i - base, top, rule,
            )  # fmt: skip
        lo = f
        if live[j] == 0:
            continue
        if with_mad:
            centre, state = _centre_of(tree, state, sx)
            mad, state = _deviation(tree, state, sx, centre)
            score = mad_score(x[i], centre, mad, mad_threshold)
            table[MEDIAN_ABSOLUTE_DEVIATION, j] = score
            if not settled(score, mad_cutoff, GUARD) or (
                guarded and loud(score, mad_cutoff) and not surely_apart(x[i] - centre, 0.0, x[i], centre)
            ):
                doubt[j] |= 1 << MEDIAN_ABSOLUTE_DEVIATION
        if with_bins:
            tail = (x[i] + x[i - 1] + x[i - 2]) / 3.0
            found = _count(tree, bin_state, edges, sx, tail, top, rule, few if guarded else -1.0)
            table[HISTOGRAM_BINS, j] = score_of_count(found, few)
            if found == UNDECIDED:
                doubt[j] |= 1 << HISTOGRAM_BINS
    _keep(state, walk_state)
