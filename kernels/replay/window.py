"""Which points each step's window holds, and where the values last changed."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline

# Values whose differences' squares are all normal numbers lie between these, or are 0.
SMALL: Final = 1e-130
LARGE: Final = 1e130


@exact_kernel
def is_extreme(value):
    """Return whether squares of differences from the value may over- or underflow."""
    always_inline()
    size = abs(value)
    return not size < LARGE or (size < SMALL and size != 0.0)


@exact_kernel
def spans(t, x, begin, end, lo, run, odd, seconds, first, same, extreme):
    """Fill first[j], same[j], extreme[j] (int64) for the points begin + j < end; return (lo, run, odd) to go on with.

    t int64[n] ascending, x float64[n]. first: index of the oldest point with t > t_i - seconds. same: index at which
    the run of values equal to x_i began. extreme: index of the newest extreme value up to x_i, -1 if there is none.
    `lo`, `run` and `odd` are those of the point before `begin`.
    """
    never_inline()
    for j in range(end - begin):
        i = begin + j
        oldest = t[i] - seconds
        while t[lo] <= oldest:
            lo += 1
        if i == 0 or x[i] != x[i - 1]:
            run = i
        if is_extreme(x[i]):
            odd = i
        first[j] = lo
        same[j] = run
        extreme[j] = odd
    return lo, run, odd


@exact_kernel
def window_start(t, point, seconds):
    """Return the index of the oldest point with t > t[point] - seconds (binary search)."""
    oldest = t[point] - seconds
    low = 0
    high = point
    while low < high:
        middle = (low + high) >> 1
        if t[middle] <= oldest:
            low = middle + 1
        else:
            high = middle
    return low


@exact_kernel
def run_start(x, point, lowest):
    """Return the index, at least `lowest`, from which all values up to x[point] are equal."""
    while point > lowest and x[point - 1] == x[point]:
        point -= 1
    return point


@exact_kernel
def newest_extreme(x, point, lowest):
    """Return the index of the newest extreme value of x[lowest : point + 1], -1 if there is none."""
    while point >= lowest:
        if is_extreme(x[point]):
            return point
        point -= 1
    return -1


@exact_kernel
def fullest(t, begin, end, seconds):
    """Return how many points the fullest window of the points begin..end-1 holds."""
    never_inline()
    most = 0
    for i in range(begin, end):
        while most <= i and t[i - most] > t[i] - seconds:
            most += 1
    return most
