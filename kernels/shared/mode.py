"""The usual step of a series: the one that most of its neighbouring points are apart."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.shared.sort import sort_into


@exact_kernel
def usual_step(t: np.ndarray, scratch: np.ndarray) -> tuple[int, int]:
    """Return the most frequent step of t int64[n] in seconds, and how often it occurs; (0, 0) if there is none.

    Of equally frequent steps the smallest. t is ascending, its span below 2**53; equal timestamps are no step. scratch
    float64[>= 3 n + 64].
    """
    never_inline()
    n = t.size
    if n < 2:
        return 0, 0
    # Nearly always one step makes up more than half of all, and most likely the one in the middle.
    step = t[n >> 1] - t[(n >> 1) - 1]
    alike = 0
    for i in range(1, n):
        alike += t[i] - t[i - 1] == step
    if step > 0 and 2 * alike > n - 1:
        return step, alike
    counted, often, longer = _count(t, scratch[: 3 * n])
    # Of steps that are too long to be counted, none is more frequent than all of them together.
    return (counted, often) if longer <= often else _longest_run(t, scratch)


@exact_kernel
def _count(t: np.ndarray, counts: np.ndarray) -> tuple[int, int, int]:
    """Return (the most frequent of the steps below the length of `counts`, how often, how many steps are not below it)."""
    bins = counts.size
    longer = 0
    for i in range(bins):
        counts[i] = 0.0
    for i in range(1, t.size):
        step = t[i] - t[i - 1]
        if step >= bins:
            longer += 1
        elif step > 0:
            counts[step] += 1.0
    best = 0
    often = 0
    for i in range(1, bins):
        if counts[i] > often:
            often = int(counts[i])
            best = i
    return best, often, longer


@exact_kernel
def _longest_run(t: np.ndarray, scratch: np.ndarray) -> tuple[int, int]:
    """Return what `usual_step` does: in ascending order, the first of the longest runs of equals."""
    n = t.size
    count = 0
    for i in range(1, n):
        if t[i] > t[i - 1]:
            scratch[count] = t[i] - t[i - 1]
            count += 1
    ascending = scratch[n : n + count]
    sort_into(scratch[:count], ascending, scratch[2 * n :])
    best = 0
    most = 0
    first = 0
    for i in range(count):
        if ascending[i] != ascending[first]:
            first = i
        if i + 1 - first > most:
            most = i + 1 - first
            best = int(ascending[i])
    return best, most
