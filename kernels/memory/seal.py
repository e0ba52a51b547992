"""Checks of rows and queues: 64-bit sums of mixed words, each word mixed by its place.

Mixing one word is a bijection of it, so a single changed word is always seen; several are missed once in 2^64.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.memory.layout import (
    BLOCK_WORDS,
    CHECK,
    HOT_WORDS,
)

LOW: Final = 0xFFFF_FFFF
ODD_FACTOR: Final = 0x1E37_79B9_7F4A_7C15  # odd: multiplying by it loses nothing
PLACE_FACTOR: Final = 0x3F58_476D_1CE4_E5B9
_CHECK_WORD: Final = 2  # of a queue's block: its upper half is the check


@exact_kernel
def mix(word: int, place: int) -> int:
    """Return the word's 64 bits, mixed by its place."""
    always_inline()
    z = (word ^ ((word >> 32) & LOW)) + place * PLACE_FACTOR
    z *= ODD_FACTOR
    return z ^ ((z >> 29) & 0x7_FFFF_FFFF)


@exact_kernel
def row_check(w: np.ndarray) -> int:
    """Return the check of a hot row w int64[HOT_WORDS]; never 0."""
    total = 0
    for i in range(CHECK + 1, HOT_WORDS):
        total += mix(w[i], i)
    return total if total != 0 else 1


@exact_kernel
def block_check(q: np.ndarray, block: int, queue_id: int) -> int:
    """Return the check, 32 bits, of one block of a queue q int64[QUEUE_WORDS] that belongs to this hash."""
    first = block * BLOCK_WORDS
    total = mix(queue_id, block)
    for i in range(BLOCK_WORDS):
        word = q[first + i]
        total += mix(word & LOW if i == _CHECK_WORD else word, i)
    return (total ^ (total >> 32)) & LOW


@exact_kernel
def block_is_whole(q: np.ndarray, block: int, queue_id: int) -> bool:
    """Return whether a block is as it was sealed, with this queue."""
    stored = (q[block * BLOCK_WORDS + _CHECK_WORD] >> 32) & LOW
    return stored == block_check(q, block, queue_id)


@exact_kernel
def seal_queue(q: np.ndarray) -> int:
    """Write the checks of all blocks of q int64[QUEUE_WORDS]; return the queue's hash."""
    queue_id = 0
    for i in range(q.size):
        place = i % BLOCK_WORDS
        word = q[i] & LOW if place == _CHECK_WORD else q[i]
        q[i] = word
        queue_id += mix(word, i)
    for block in range(q.size // BLOCK_WORDS):
        q[block * BLOCK_WORDS + _CHECK_WORD] |= block_check(q, block, queue_id) << 32
    return queue_id
