"""Sums over the first hour of the moving window: two pointers, and an origin of its own."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.replay.layout import BLOCK
from ridgeline.kernels.replay.moments import DRIFT, mean_of, square_sums

ORIGIN, S1, S2, PEAK, COUNT = range(5)
STATE: Final = 5
# Rows that `walk` fills, float64[ROWS, steps]: the origin, S1, S2, the number of points n, 1 / n, 1 / (n - 1), and the mean
# of the three newest points of the window, from the origin (0 where there are not so many).
ORIGINS, S1S, S2S, SIZES, SHARES, FREES, TAILS = range(7)
ROWS: Final = 7


@exact_kernel
def anchor(x, a, b, state):
    """Take the sums of x[a:b] afresh, about their mean; an empty sample has none."""
    never_inline()
    origin = 0.0
    s1 = 0.0
    s2 = 0.0
    if b > a:
        origin = mean_of(x, a, b)
        s1, s2 = square_sums(x, a, b, origin)
    state[ORIGIN] = origin
    state[S1] = s1
    state[S2] = s2
    state[PEAK] = s2
    state[COUNT] = 0.0


@exact_kernel
def walk(t, x, begin, end, lo, stop, seconds, hour, first, state, rows):
    """Move the first hour over the points begin..end-1; return `stop`, where it ends now.

    The sample of point i is x[first : stop], stop the first point at or after t_i - seconds + hour, never beyond i.
    """
    never_inline()
    o = state[ORIGIN]
    s1 = state[S1]
    s2 = state[S2]
    peak = state[PEAK]
    count = state[COUNT]
    size = -1
    share = free = 0.0
    for j in range(end - begin):
        i = begin + j
        f = first[j]
        closing = t[i] - seconds + hour
        if (i & (BLOCK - 1)) == 0 or f >= stop:
            stop = max(stop, f)
            while stop <= i and t[stop] < closing:
                stop += 1
            afresh = True
        else:
            while lo < f:
                d = x[lo] - o
                s1 -= d
                s2 -= d * d
                count += 1.0
                lo += 1
            while stop <= i and t[stop] < closing:
                d = x[stop] - o
                s1 += d
                s2 += d * d
                count += 1.0
                peak = max(peak, s2)
                stop += 1
            n = float(stop - f)
            afresh = not n * count * peak <= DRIFT * (n * s2 - s1 * s1)
        if afresh:
            anchor(x, f, stop, state)
            lo = f
            o = state[ORIGIN]
            s1 = state[S1]
            s2 = state[S2]
            peak = state[PEAK]
            count = 0.0
        if stop - f != size:
            size = stop - f
            share = 1.0 / float(size)
            free = 1.0 / (float(size) - 1.0)
        rows[ORIGINS, j] = o
        rows[S1S, j] = s1
        rows[S2S, j] = s2
        rows[SIZES, j] = float(size)
        rows[SHARES, j] = share
        rows[FREES, j] = free
        rows[TAILS, j] = ((x[i] - o) + (x[i - 1] - o) + (x[i - 2] - o)) / 3.0 if i >= 2 else 0.0
    state[ORIGIN] = o
    state[S1] = s1
    state[S2] = s2
    state[PEAK] = peak
    state[COUNT] = count
    return stop
