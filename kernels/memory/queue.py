"""The next points to leave a window, block by block; those of the key itself, whatever is judged."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.layout import (
    BLOCK_POINTS,
    BLOCK_VALUES,
    BLOCK_WORDS,
    OK,
    QUEUE_AT,
    QUEUE_BASE,
    QUEUE_ID,
    QUEUE_LENGTH,
    QUEUE_POINTS,
    READ_DAMAGED,
    READ_QUEUE,
)
from ridgeline.kernels.memory.seal import LOW, block_is_whole, seal_queue


@exact_kernel
def reach(w: np.ndarray, q: np.ndarray, place: int) -> int:
    """Return OK where the queue q int64[QUEUE_WORDS] of the row w int64[HOT_WORDS] has a point there, and the block is whole.

    Else READ_QUEUE or READ_DAMAGED.
    """
    if not 0 <= place < w[QUEUE_LENGTH] <= QUEUE_POINTS:
        return READ_QUEUE
    return OK if block_is_whole(q, place // BLOCK_POINTS, w[QUEUE_ID]) else READ_DAMAGED


@exact_kernel
def reach_after(w: np.ndarray, q: np.ndarray, place: int) -> int:
    """Return the same of the place after one that was reached: of its block, too, unless a new one begins."""
    if place % BLOCK_POINTS != 0 and place < w[QUEUE_LENGTH]:
        return OK
    return reach(w, q, place)


@exact_kernel
def time_at(w: np.ndarray, q: np.ndarray, place: int) -> int:
    """Return the timestamp of the point at a place that was reached."""
    block = place // BLOCK_POINTS
    slot = place - block * BLOCK_POINTS
    return w[QUEUE_BASE] + ((q[block * BLOCK_WORDS + slot // 2] >> (32 * (slot & 1))) & LOW)


@exact_kernel
def value_at(qx: np.ndarray, place: int) -> float:
    """Return the value of that point; qx float64[QUEUE_WORDS], the same memory as q."""
    block = place // BLOCK_POINTS
    return qx[block * BLOCK_WORDS + BLOCK_VALUES + place - block * BLOCK_POINTS]


@exact_kernel
def fill_queue(w: np.ndarray, q: np.ndarray, qx: np.ndarray, t: np.ndarray, x: np.ndarray) -> None:
    """Make the queue of these points, t int64[k <= QUEUE_POINTS] ascending and less than 2^31 seconds apart, x float64[k]."""
    q[:] = 0
    for i in range(t.size):
        block = i // BLOCK_POINTS
        slot = i - block * BLOCK_POINTS
        q[block * BLOCK_WORDS + slot // 2] |= (t[i] - t[0]) << (32 * (slot & 1))
        qx[block * BLOCK_WORDS + BLOCK_VALUES + slot] = x[i]
    w[QUEUE_AT] = 0
    w[QUEUE_LENGTH] = t.size
    w[QUEUE_BASE] = t[0]
    w[QUEUE_ID] = seal_queue(q)
