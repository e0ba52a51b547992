"""Exact median and median absolute deviation of the moving window, walked over the bitmap of ranks.

The deviations' k smallest, k = (n + 1) // 2, belong to a run of neighbours in value order, because rounding
`x - median` keeps that order. The run [left, right] is kept from step to step, mended where points came and
went, and slid while the element beyond one end is strictly nearer to the median than the other end. Where that
takes more than `SLIDES` moves (two alternating levels flip the whole run), the run is found by bisection.
The result is bit for bit numpy's `median(abs(x - median(x)))`.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.replay.bitmap import after, before, insert, remove, select

SLIDES: Final = 16

# Slots of the walk's state, int64[STATE]: window size, rank of its upper median, how many lie below it, lowest
# and highest rank, the run's ends, how many the run holds, how many lie left of it.
SIZE, MEDIAN, UNDER, LOWEST, HIGHEST, LEFT, RIGHT, HELD, OUTSIDE = range(9)
STATE: Final = 9


@exact_kernel
def restart(state, upper):
    """Set the walk of an empty bitmap whose upper sentinel is `upper`."""
    state[SIZE] = 0
    state[MEDIAN] = upper
    state[UNDER] = 0
    state[LOWEST] = upper
    state[HIGHEST] = 0
    state[LEFT] = upper
    state[RIGHT] = 0
    state[HELD] = 0
    state[OUTSIDE] = 0


@exact_kernel
def enter(tree, state, rank):
    """Add the point of `rank` to the window."""
    always_inline()
    insert(tree, rank)
    state[SIZE] += 1
    state[UNDER] += rank < state[MEDIAN]
    state[LOWEST] = min(state[LOWEST], rank)
    state[HIGHEST] = max(state[HIGHEST], rank)
    if rank < state[LEFT]:
        state[OUTSIDE] += 1
    elif rank <= state[RIGHT]:
        state[HELD] += 1


@exact_kernel
def leave(tree, state, rank):
    """Take the point of `rank` out of the window."""
    always_inline()
    remove(tree, rank)
    state[SIZE] -= 1
    if rank < state[MEDIAN]:
        state[UNDER] -= 1
    elif rank == state[MEDIAN]:
        state[MEDIAN] = after(tree, rank)
    if rank == state[LOWEST]:
        state[LOWEST] = after(tree, rank)
    if rank == state[HIGHEST]:
        state[HIGHEST] = before(tree, rank)
    if rank < state[LEFT]:
        state[OUTSIDE] -= 1
    elif rank <= state[RIGHT]:
        state[HELD] -= 1
        if rank == state[LEFT]:
            state[LEFT] = after(tree, rank)
        elif rank == state[RIGHT]:
            state[RIGHT] = before(tree, rank)


@exact_kernel
def median(tree, state, sx):
    """Return the window's median, numpy's rule: the mean of the two middle values where the size is even."""
    always_inline()
    half = state[SIZE] >> 1
    rank = state[MEDIAN]
    under = state[UNDER]
    while under > half:
        rank = before(tree, rank)
        under -= 1
    while under < half:
        rank = after(tree, rank)
        under += 1
    state[MEDIAN] = rank
    state[UNDER] = under
    if state[SIZE] & 1:
        return sx[rank]
    return (sx[before(tree, rank)] + sx[rank]) / 2.0


@exact_kernel
def _seat(tree, state, sx, centre, lo, hi):
    """Find the run by bisection: the smallest start p in lo..hi at which its right end is the farther one."""
    never_inline()
    held = (state[SIZE] + 1) >> 1
    last = state[SIZE] - held
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
    state[LEFT] = left
    state[RIGHT] = right
    state[HELD] = held
    state[OUTSIDE] = p


@exact_kernel
def deviation(tree, state, sx, centre):
    """Return the median of |x - centre| over the window (centre: its median)."""
    always_inline()
    size = state[SIZE]
    wanted = (size + 1) >> 1
    left = state[LEFT]
    right = state[RIGHT]
    held = state[HELD]
    outside = state[OUTSIDE]
    moves = abs(held - wanted) if held > 0 else SLIDES + 1
    if moves <= SLIDES:
        while held > wanted:
            if centre - sx[left] > sx[right] - centre:
                left = after(tree, left)
                outside += 1
            else:
                right = before(tree, right)
            held -= 1
        while held < wanted:
            previous = before(tree, left)
            following = after(tree, right)
            if centre - sx[previous] < sx[following] - centre:
                left = previous
                outside -= 1
            else:
                right = following
            held += 1
        following = after(tree, right)
        while sx[following] - centre < centre - sx[left] and moves <= SLIDES:
            right = following
            left = after(tree, left)
            following = after(tree, right)
            outside += 1
            moves += 1
        previous = before(tree, left)
        while centre - sx[previous] < sx[right] - centre and moves <= SLIDES:
            left = previous
            right = before(tree, right)
            previous = before(tree, left)
            outside -= 1
            moves += 1
        state[LEFT] = left
        state[RIGHT] = right
        state[HELD] = held
        state[OUTSIDE] = outside
    if moves > SLIDES:
        _seat(tree, state, sx, centre, 0, size - wanted)
        left = state[LEFT]
        right = state[RIGHT]
    farthest = max(centre - sx[left], sx[right] - centre)
    if size & 1:
        return farthest
    nearest = min(centre - sx[before(tree, left)], sx[after(tree, right)] - centre)
    return (farthest + nearest) / 2.0
