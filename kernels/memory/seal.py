"""Checks of rows and queues: 64-bit sums of mixed words, each word mixed by its place.

Mixing one word is a bijection of it, so a single changed word is always seen; several are missed once in 2^64.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.memory.layout import (
    BLOCK_WORDS,
    BLOCKS,
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
    total = -mix(w[CHECK], CHECK)
    for i in range(HOT_WORDS):
        total += mix(w[i], i)
    return total if total != 0 else 1


@exact_kernel
def block_sum(q: np.ndarray, block: int) -> int:
    """Return the sum over one block of a queue q int64[QUEUE_WORDS], but for its check."""
    words = q[block * BLOCK_WORDS : (block + 1) * BLOCK_WORDS]
    total = mix(words[_CHECK_WORD] & LOW, _CHECK_WORD) - mix(words[_CHECK_WORD], _CHECK_WORD)
    for i in range(BLOCK_WORDS):
        total += mix(words[i], i)
    return total


@exact_kernel
def check_of(total: int, block: int, queue_id: int) -> int:
    """Return the check, 32 bits, of a block with this sum in the queue that has this hash."""
    mixed = mix(total + queue_id, block)
    return (mixed ^ (mixed >> 32)) & LOW


@exact_kernel
def block_is_whole(q: np.ndarray, block: int, queue_id: int) -> bool:
    """Return whether a block is as it was sealed, with this queue."""
    stored = (q[block * BLOCK_WORDS + _CHECK_WORD] >> 32) & LOW
    return stored == check_of(block_sum(q, block), block, queue_id)


@exact_kernel
def seal_queue(q: np.ndarray) -> int:
    """Write the checks of all blocks of q int64[QUEUE_WORDS], all 0 so far; return the queue's hash."""
    queue_id = 0
    for block in range(BLOCKS):
        queue_id += mix(block_sum(q, block), block)
    for block in range(BLOCKS):
        q[block * BLOCK_WORDS + _CHECK_WORD] |= check_of(block_sum(q, block), block, queue_id) << 32
    return queue_id
