"""Rows that are judged by the rises of a counter: two windows, that of the rises and that of the counter itself.

The rises are those of `prepare.derivative`: points not lower than the one before them, each at its own time, and their
window ends with the newest of them. The sums of such a row are those of rises. The queue holds the counter's own points:
QUEUE_AT is the one before the next rise to leave, RAW_AT the next to leave the counter's window.
"""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.decode.loads import float64_of
from ridgeline.kernels.memory.layout import (
    AHEAD,
    HELD,
    LAST,
    OK,
    QUEUE_AT,
    RAW_AT,
    RAW_COUNT,
    READING,
    SAME,
    SILENT,
    SPAN_POINTS,
    STEP,
)
from ridgeline.kernels.memory.marks import add_to_half, half, put_half
from ridgeline.kernels.memory.neighbours import COMES, LEAVES, count_pair
from ridgeline.kernels.memory.queue import reach, reach_after, time_at, value_at
from ridgeline.kernels.memory.sums import pop, push


@exact_kernel
def is_kept(rise: float) -> bool:
    """Return whether a difference is a rise as `prepare.derivative` keeps it."""
    return 0.0 <= rise < np.inf


@exact_kernel
def push_reading(w: np.ndarray, f: np.ndarray, t: int, x: float) -> int:
    """Add a point of the counter to the row w int64[HOT_WORDS], f its float64 view; return how many rises that gives."""
    before = f[READING]
    count_pair(w, before, x, COMES)
    add_to_half(w, RAW_COUNT, 1)
    f[READING] = x
    if is_kept(x - before):
        push(w, f, t, x - before)
        put_half(w, AHEAD, 0)
        return 1
    put_half(w, AHEAD, t - w[LAST])
    return 0


@exact_kernel
def next_rise(w: np.ndarray, q: np.ndarray, qx: np.ndarray, place: int) -> tuple[int, int]:
    """Return (status, place) of the first point from `place`, which was reached, on that is followed by a rise."""
    status = reach_after(w, q, place + 1)
    while status == OK and not is_kept(value_at(qx, place + 1) - value_at(qx, place)):
        place += 1
        status = reach_after(w, q, place + 1)
    return status, place


@exact_kernel
def pop_rises(w: np.ndarray, f: np.ndarray, q: np.ndarray, qx: np.ndarray, oldest: int, weights: np.ndarray) -> int:
    """Take all rises before `oldest` off the sums; return OK, READ_QUEUE where not all are known, or READ_DAMAGED.

    q int64[QUEUE_WORDS], qx its float64 view: the row's queue; weights as in `sums.pop`.
    """
    place = w[QUEUE_AT]
    status = reach(w, q, place)
    if status == OK:
        status, place = next_rise(w, q, qx, place)
    while status == OK and time_at(w, q, place + 1) < oldest:
        left = time_at(w, q, place + 1)
        pop(w, f, value_at(qx, place + 1) - value_at(qx, place), weights)
        status, place = next_rise(w, q, qx, place + 1)
        if status == OK:
            w[SAME] -= time_at(w, q, place + 1) - left == w[STEP]
    w[QUEUE_AT] = place
    return status


@exact_kernel
def pop_readings(w: np.ndarray, q: np.ndarray, qx: np.ndarray, oldest: int) -> int:
    """Take all points before `oldest` off what is counted of the counter; return as `pop_rises` does."""
    place = half(w, RAW_AT)
    status = reach(w, q, place)
    while status == OK and time_at(w, q, place) < oldest:
        status = reach_after(w, q, place + 1)
        if status == OK:
            count_pair(w, value_at(qx, place), value_at(qx, place + 1), LEAVES)
            add_to_half(w, RAW_COUNT, -1)
            place += 1
    put_half(w, RAW_AT, place)
    return status


@exact_kernel
def slide_rises(
    w: np.ndarray, f: np.ndarray, q: np.ndarray, qx: np.ndarray, t: int, x: float, window: int, weights: np.ndarray
) -> int:
    """Add a point of the counter, and take off what leaves both windows, of so many seconds; return as `pop_rises` does."""
    if push_reading(w, f, t, x) > 0:
        status = pop_rises(w, f, q, qx, t - window + 1, weights)
        if status != OK:
            return status
    return pop_readings(w, q, qx, t - window + 1)


@exact_kernel
def is_preceded(w: np.ndarray, q: np.ndarray, window: int, as_of: int) -> bool:
    """Return whether the key surely holds the point before the first rise of the row w, which is older than the window.

    By how much depends on the step, and trimmers leave no more than SILENT beyond the window.
    """
    place = w[QUEUE_AT]
    if reach(w, q, place) != OK:
        return False
    age = as_of - time_at(w, q, place)
    return age < window + SILENT and age <= w[HELD]


@exact_kernel
def rises_span(t: np.ndarray, bits: np.ndarray, first: int, stop: int) -> int:
    """Return the seconds from one of the newest SPAN_POINTS rises to the newest, of the points first..stop.

    Of the oldest whose point before it is among them; t int64[n], bits int64[n] those of values.
    """
    newest, found = 0, 0
    span = 0
    for i in range(stop - 1, first, -1):
        if is_kept(float64_of(bits[i]) - float64_of(bits[i - 1])):
            if found == 0:
                newest = t[i]
            found += 1
            span = newest - t[i]
            if found == SPAN_POINTS:
                break
    return span


@exact_kernel
def rises_since(t: np.ndarray, bits: np.ndarray, stop: int, oldest: int) -> int:
    """Return how many rises of the points t[:stop], bits those of values, are later than `oldest`."""
    count = 0
    for i in range(1, stop):
        count += t[i] > oldest and is_kept(float64_of(bits[i]) - float64_of(bits[i - 1]))
    return count
