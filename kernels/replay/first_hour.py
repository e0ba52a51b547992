"""Sums over the first hour of the moving window: two pointers, and an origin of its own."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.replay.layout import BLOCK
from ridgeline.kernels.replay.moments import DRIFT, mean_of, square_sums

ORIGIN, S1, S2, PEAK, COUNT = range(5)
STATE: Final = 5


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
    rows float64[4, >= end - begin]: origin, S1, S2, number of points.
    """
    never_inline()
    o = state[ORIGIN]
    s1 = state[S1]
    s2 = state[S2]
    peak = state[PEAK]
    count = state[COUNT]
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
        rows[0, j] = o
        rows[1, j] = s1
        rows[2, j] = s2
        rows[3, j] = float(stop - f)
    state[ORIGIN] = o
    state[S1] = s1
    state[S2] = s2
    state[PEAK] = peak
    state[COUNT] = count
    return stop
