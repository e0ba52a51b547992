"""Exact median and median absolute deviation of the moving window, walked over the bitmap of ranks.

The deviations' k smallest, k = (n + 1) // 2, belong to a run of neighbours in value order, because rounding
`x - median` keeps that order. The run [left, right] is kept from step to step, mended where points came and
went, and slid while the element beyond one end is strictly nearer to the median than the other end. Where that
takes more than `SLIDES` moves (two alternating levels flip the whole run), the run is found by bisection.
The result is bit for bit numpy's `median(abs(x - median(x)))`.

Which way median and run move at a step is as good as random, and a processor that guesses wrong loses more time than
looking at both sides takes: the usual step, by one element at most, is taken without a branch.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.replay.bitmap import after, before, insert, remove, select

SLIDES: Final = 16

# Slots of the walk's state, int64[STATE], and the places of the tuple that functions hand on: window size, rank of its
# upper median, how many lie below it, lowest and highest rank, the run's ends, how many the run holds, how many lie
# left of it.
SIZE, MEDIAN, UNDER, LOWEST, HIGHEST, LEFT, RIGHT, HELD, OUTSIDE = range(9)
STATE: Final = 9
_at = np.uint64


@exact_kernel
def restart(upper):
    """Return the state of an empty bitmap whose upper sentinel is `upper`."""
    always_inline()
    return 0, upper, 0, upper, 0, upper, 0, 0, 0


@exact_kernel
def take_up(slots):
    """Return the state that was kept in int64[>= STATE]."""
    always_inline()
    return slots[0], slots[1], slots[2], slots[3], slots[4], slots[5], slots[6], slots[7], slots[8]


@exact_kernel
def keep(state, slots):
    """Keep the state in int64[>= STATE]."""
    always_inline()
    for k in range(STATE):
        slots[k] = state[k]


@exact_kernel
def enter(tree, state, rank):
    """Add the point of `rank` to the window and return the state."""
    always_inline()
    size, median, under, least, most, left, right, held, outside = state
    insert(tree, rank)
    return (
        size + 1,
        median,
        under + (rank < median),
        min(least, rank),
        max(most, rank),
        left,
        right,
        held + ((left <= rank) & (rank <= right)),
        outside + (rank < left),
    )


@exact_kernel
def leave(tree, state, rank):
    """Take the point of `rank` out of the window and return the state."""
    always_inline()
    size, median, under, least, most, left, right, held, outside = state
    remove(tree, rank)
    under -= rank < median
    outside -= rank < left
    held -= (left <= rank) & (rank <= right)
    if rank == median:
        median = after(tree, rank)
    if rank == least:
        least = after(tree, rank)
    if rank == most:
        most = before(tree, rank)
    if rank == left:
        left = after(tree, rank)
    elif rank == right:
        right = before(tree, rank)
    return size - 1, median, under, least, most, left, right, held, outside


@exact_kernel
def centre_of(tree, state, sx):
    """Return the window's median and the state; numpy's rule: the mean of the two middle values where the size is even."""
    always_inline()
    size, median, under, least, most, left, right, held, outside = state
    half = size >> 1
    while under > half:
        median = before(tree, median)
        under -= 1
    while under < half:
        median = after(tree, median)
        under += 1
    value = sx[_at(median)]
    if size & 1 == 0:
        value = (sx[_at(before(tree, median))] + value) / 2.0
    return value, (size, median, under, least, most, left, right, held, outside)


@exact_kernel
def _seat(tree, size, sx, centre):
    """Return the ends of the run, found by bisection, and how many elements lie left of it.

    It is the smallest start at which the right end is the farther one, or the one before.
    """
    never_inline()
    held = (size + 1) >> 1
    last = size - held
    lo = 0
    hi = last
    while lo < hi:
        p = (lo + hi) >> 1
        right = sx[select(tree, p + held)]  # + 1 for the lower sentinel, - 1 for the run's last element
        left = sx[select(tree, p + 1)]
        if right - centre >= centre - left:
            hi = p
        else:
            lo = p + 1
    p = min(lo, last)
    left = select(tree, p + 1)
    right = select(tree, p + held)
    if p > 0:
        farther = max(centre - sx[left], sx[right] - centre)
        left1 = select(tree, p)
        right1 = select(tree, p + held - 1)
        if max(centre - sx[left1], sx[right1] - centre) < farther:
            left = left1
            right = right1
            p -= 1
    return left, right, p


@exact_kernel
def deviation(tree, state, sx, centre):
    """Return the median of |x - centre| over the window (centre: its median), and the state."""
    always_inline()
    size, median, under, least, most, left, right, held, outside = state
    wanted = (size + 1) >> 1
    moves = abs(held - wanted) if held > 0 else SLIDES + 1
    beyond_left = 0
    beyond_right = 0
    if moves <= SLIDES:
        while held > wanted:
            if centre - sx[_at(left)] > sx[_at(right)] - centre:
                left = after(tree, left)
                outside += 1
            else:
                right = before(tree, right)
            held -= 1
        beyond_left = before(tree, left)
        beyond_right = after(tree, right)
        while held < wanted:
            if centre - sx[_at(beyond_left)] < sx[_at(beyond_right)] - centre:
                left = beyond_left
                beyond_left = before(tree, left)
                outside -= 1
            else:
                right = beyond_right
                beyond_right = after(tree, right)
            held += 1
        while sx[_at(beyond_right)] - centre < centre - sx[_at(left)] and moves <= SLIDES:
            beyond_left = left
            left = after(tree, left)
            right = beyond_right
            beyond_right = after(tree, right)
            outside += 1
            moves += 1
        while centre - sx[_at(beyond_left)] < sx[_at(right)] - centre and moves <= SLIDES:
            beyond_right = right
            right = before(tree, right)
            left = beyond_left
            beyond_left = before(tree, left)
            outside -= 1
            moves += 1
    if moves > SLIDES:
        left, right, outside = _seat(tree, size, sx, centre)
        beyond_left = before(tree, left)
        beyond_right = after(tree, right)
    farthest = max(centre - sx[_at(left)], sx[_at(right)] - centre)
    if size & 1 == 0:
        nearest = min(centre - sx[_at(beyond_left)], sx[_at(beyond_right)] - centre)
        farthest = (farthest + nearest) / 2.0
    return farthest, (size, median, under, least, most, left, right, wanted, outside)
