"""How many points share the tail's histogram bin, from ranks: each edge is a rank, each count a popcount.

The edges of a window depend on its minimum and maximum only. While those stand still the ranks at which the bins
begin are found once, and the fifteen counts are kept from step to step.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.histogram_bins import BINS, edge
from ridgeline.kernels.replay.bitmap import after, below
from ridgeline.kernels.shared.noise import NEAR, NOISE
from ridgeline.kernels.shared.scaling import SHORT
from ridgeline.kernels.shared.switches import HISTOGRAM_EARTHGECKO, HISTOGRAM_OWN_BIN

# The state, int64[STATE]: ranks at which bins 0..15 begin (0: not looked for yet), counts of bins 0..14, for how many
# steps the edges have stood still, whether the counts are kept, whether the bins are usable, ranks of the extremes.
STARTS: Final = 0
COUNTS: Final = 16
STILL, KEPT, USABLE, LOW, HIGH = range(32, 37)
STATE: Final = 37
# `edges` float64[EDGES]: the sixteen, then the bins per unit of value.
SCALE: Final = BINS + 1
EDGES: Final = BINS + 2
PATIENCE: Final = 16  # steps that the edges must stand still before counts are kept
UNDECIDED: Final = -3  # this window must be counted directly


@exact_kernel
def forget(state, edges):
    """Start without edges."""
    state[:] = 0
    state[LOW] = -1
    edges[:] = np.nan


@exact_kernel
def _edges(state, edges, low, high):
    """Make the edges of [low, high]; bins that are not all ascending are not usable."""
    never_inline()
    step = (high - low) / BINS
    usable = SHORT < high - low < 1e300
    edges[SCALE] = BINS / (high - low)
    for k in range(BINS + 1):
        edges[k] = edge(k, low, high, step)
        if k > 0 and not edges[k - 1] < edges[k]:
            usable = False
    state[STARTS : STARTS + BINS + 1] = 0
    state[STARTS] = 1
    state[STILL] = 0
    state[KEPT] = 0
    state[USABLE] = usable


@exact_kernel
def _start(state, k, edges, sx, top, rule):
    """Return the rank of the first value, of all in the chunk, that belongs to bin k or above."""
    never_inline()
    low = 1
    high = top
    least = edges[0]
    width = edges[BINS] - least
    while low < high:
        middle = (low + high) >> 1
        if rule == HISTOGRAM_EARTHGECKO:
            under = not BINS * (sx[middle] - least) / width >= k
        else:
            under = sx[middle] < edges[k]
        if under:
            low = middle + 1
        else:
            high = middle
    state[STARTS + k] = low
    return low


@exact_kernel
def _keep(tree, state, edges, sx, top, rule):
    """Find the starts of all bins and count them."""
    never_inline()
    state[STARTS + BINS] = top
    previous = below(tree, 1)
    for k in range(1, BINS + 1):
        if state[STARTS + k] == 0:
            _start(state, k, edges, sx, top, rule)
        here = below(tree, state[STARTS + k])
        state[COUNTS + k - 1] = here - previous
        previous = here
    state[KEPT] = 1


@exact_kernel
def _bin_of_rank(state, edges, rank, value, scale):
    """Return the bin of a point of the window."""
    always_inline()
    k = min(max(int((value - edges[0]) * scale), 0), BINS - 1)
    while state[STARTS + k] > rank:
        k -= 1
    while state[STARTS + k + 1] <= rank:
        k += 1
    return k


@exact_kernel
def tail_bin(edges, tail, scale):
    """Return the last bin whose left edge is at or below the tail, -1 below the first, 15 at or above the maximum."""
    always_inline()
    if tail < edges[0]:
        return -1
    if tail >= edges[BINS]:
        return BINS
    k = min(max(int((tail - edges[0]) * scale), 0), BINS - 1)
    while tail < edges[k]:
        k -= 1
    while tail >= edges[k + 1]:
        k += 1
    return k


@exact_kernel
def follow(tree, state, edges, sx, rank, points, low, high, gone, left, come, top, rule):
    """Bring edges and counts up to date: points gone..left-1 (chunk places) left, point `come` came.

    points float64[ranks]: the chunk's, in order of time: next to each other, where their places in `sx` are far apart.
    """
    always_inline()
    if low != state[LOW] or high != state[HIGH]:
        state[LOW] = low
        state[HIGH] = high
        if sx[low] != edges[0] or sx[high] != edges[BINS]:
            _edges(state, edges, sx[low], sx[high])
            state[STILL] = 1
            return
    state[STILL] += 1
    if state[KEPT]:
        scale = edges[SCALE]
        for k in range(gone, left):
            state[COUNTS + _bin_of_rank(state, edges, rank[k], points[k], scale)] -= 1
        state[COUNTS + _bin_of_rank(state, edges, rank[come], points[come], scale)] += 1
    elif state[STILL] > PATIENCE and state[USABLE]:
        _keep(tree, state, edges, sx, top, rule)


@exact_kernel
def count(tree, state, edges, sx, tail, top, rule, few):
    """Return what `histogram_bins.bin_count` returns for this window, or UNDECIDED."""
    always_inline()
    low = edges[0]
    high = edges[BINS]
    if low == high:
        return 0 if rule == HISTOGRAM_EARTHGECKO else -1
    if not state[USABLE]:
        return UNDECIDED
    k = tail_bin(edges, tail, edges[SCALE])
    if rule == HISTOGRAM_OWN_BIN:
        k = min(max(k, 0), BINS - 1)
    elif k < 0:
        k = 0
    elif k == BINS or (k == 0 and tail > low):
        return -1
    if k == BINS - 1 and rule == HISTOGRAM_EARTHGECKO:
        # Values rounded up to the maximum's place without being the maximum are in no bin there.
        odd = state[STARTS + BINS]
        if odd == 0 or state[KEPT]:
            odd = _start(state, BINS, edges, sx, top, rule)
            state[STARTS + BINS] = top if state[KEPT] else odd
        first = after(tree, odd - 1)
        if sx[first] < high:
            return UNDECIDED
    start, stop = _reach(state, k, edges, sx, top, rule)
    found = state[COUNTS + k] if state[KEPT] else below(tree, stop) - below(tree, start)
    if found <= few and (
        tail - sx[start - 1] <= NEAR * NOISE * abs(tail) or sx[stop] - tail <= NEAR * NOISE * abs(tail)
    ):
        return UNDECIDED  # values of other bins may differ from the tail by rounding only
    return found


@exact_kernel
def _reach(state, k, edges, sx, top, rule):
    """Return the ranks at which bin k begins and ends."""
    always_inline()
    start = state[STARTS + k]
    if start == 0:
        start = _start(state, k, edges, sx, top, rule)
    stop = top
    if k < BINS - 1:
        stop = state[STARTS + k + 1]
        if stop == 0:
            stop = _start(state, k + 1, edges, sx, top, rule)
    return start, stop
