"""The next points to leave a window, block by block."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.layout import (
    BLOCK_POINTS,
    BLOCK_VALUES,
    BLOCK_WORDS,
    QUEUE_AT,
    QUEUE_BASE,
    QUEUE_ID,
    QUEUE_LENGTH,
    QUEUE_POINTS,
)
from ridgeline.kernels.memory.seal import LOW, block_is_whole, seal_queue


@exact_kernel
def has_next(w: np.ndarray) -> bool:
    """Return whether the row w int64[HOT_WORDS] knows the point that leaves next."""
    return 0 <= w[QUEUE_AT] < w[QUEUE_LENGTH] <= QUEUE_POINTS


@exact_kernel
def next_is_whole(w: np.ndarray, q: np.ndarray) -> bool:
    """Return whether the block of the next point of q int64[QUEUE_WORDS] is as it was sealed with this row."""
    return block_is_whole(q, w[QUEUE_AT] // BLOCK_POINTS, w[QUEUE_ID])


@exact_kernel
def next_time(w: np.ndarray, q: np.ndarray) -> int:
    """Return the timestamp of the next point to leave."""
    block = w[QUEUE_AT] // BLOCK_POINTS
    slot = w[QUEUE_AT] - block * BLOCK_POINTS
    return w[QUEUE_BASE] + ((q[block * BLOCK_WORDS + slot // 2] >> (32 * (slot & 1))) & LOW)


@exact_kernel
def next_value(w: np.ndarray, qx: np.ndarray) -> float:
    """Return the value of the next point to leave; qx float64[QUEUE_WORDS], the same memory as q."""
    block = w[QUEUE_AT] // BLOCK_POINTS
    return qx[block * BLOCK_WORDS + BLOCK_VALUES + w[QUEUE_AT] - block * BLOCK_POINTS]


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
