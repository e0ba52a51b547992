"""Gaps filled with zeros or with the last known value. Points that are there stay as they are."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel


@exact_kernel
def gap_points(before: int, now: int, step: int) -> int:
    """Return how many points are missing between two timestamps: one each `step` after the first, none near the second.

    Near is within half a step, so that neither jitter nor a late point counts as a gap. With a step of 0 nothing is missing.
    """
    return max((now - before - (step + 1) // 2) // step, 0) if step > 0 else 0


@exact_kernel
def skipped_points(before: int, since: int, step: int) -> int:
    """Return how many points, one each `step` after a timestamp, are not later than `since`."""
    return max((since - before) // step, 0) if step > 0 else 0


@exact_kernel
def leading_points(first: int, since: int, step: int) -> int:
    """Return how many points, one each `step` before a timestamp, are later than `since`."""
    return max((first - since - 1) // step, 0) if step > 0 else 0


@exact_kernel
def filled_size(t: np.ndarray, first: int, since: int, step: int, zeros: int) -> int:
    """Return how many points `fill_into` will write."""
    count = t.size - first
    for i in range(max(first, 1), t.size):
        count += gap_points(t[i - 1], t[i], step)
    if first > 0:
        count -= min(skipped_points(t[first - 1], since, step), gap_points(t[first - 1], t[first], step))
    elif zeros != 0:
        count += leading_points(t[0], since, step)
    return count


@exact_kernel
def fill_into(
    t: np.ndarray, x: np.ndarray, first: int, since: int, step: int, zeros: int, out_t: np.ndarray, out_x: np.ndarray
) -> int:
    """Write the points from `first` on and what is missing between them, later than `since`; return how many.

    t int64[n] ascending, x float64[n]; first < n: points before it only say what the value was. Missing is what stands a
    multiple of `step` after a point, up to half a step before the next. It has the value of the point before it, or with
    `zeros` 0; then zeros also stand before the very first point, back to `since`.
    """
    count = 0
    if step == 0:
        for i in range(first, t.size):
            out_t[i - first] = t[i]
            out_x[i - first] = x[i]
        return t.size - first
    if first == 0 and zeros != 0:
        for k in range(leading_points(t[0], since, step), 0, -1):
            out_t[count] = t[0] - k * step
            out_x[count] = 0.0
            count += 1
    for i in range(first, t.size):
        if i > 0:
            missing = gap_points(t[i - 1], t[i], step)
            skipped = skipped_points(t[i - 1], since, step) if i == first else 0
            value = 0.0 if zeros != 0 else x[i - 1]
            for k in range(skipped + 1, missing + 1):
                out_t[count] = t[i - 1] + k * step
                out_x[count] = value
                count += 1
        out_t[count] = t[i]
        out_x[count] = x[i]
        count += 1
    return count
