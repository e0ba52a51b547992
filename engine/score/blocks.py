"""How rows are cut into blocks for the kernel, and what each thread works in."""

from __future__ import annotations

import threading
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.score.layout import score_room

WORTH: Final = 1 << 17  # points: fewer are judged while another thread wakes up
KEPT: Final = 1 << 16  # points of the longest row up to which a thread keeps its scratch, 5 MB


def block_size(rows: int, points: int, most: int, threads: int) -> int:
    """Return how many rows a block has, at most `most`: blocks as alike as can be, a whole number for every thread.

    points: of all rows; so few that waking another thread would cost more than it saves are left to one.
    """
    useful = max(min(threads, points // WORTH), 1)
    blocks = -(-rows // (most * useful)) * useful
    return max(-(-rows // max(blocks, 1)), 1)


class _Room(threading.local):
    longest = -1
    arrays: tuple[NDArray[np.float64], NDArray[np.int64]]


_room: Final = _Room()


def scratch(longest: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the score entry's scratch for rows of up to `longest` points, the calling thread's own until its next call."""
    if longest <= _room.longest:
        return _room.arrays
    arrays = np.empty(score_room(longest)), np.empty(longest, np.int64)
    if longest <= KEPT:
        _room.longest, _room.arrays = longest, arrays
    return arrays
