"""The window as a bitmap over ranks: next, previous and k-th element, and how many lie below a rank.

`tree` int64[3, words]: the number of set bits in every 64 words (4096 ranks) and in every 8 (512 ranks), then one bit
per rank. The lowest and the highest rank are sentinels whose bits are always set, so that `after` and `before` always
find one; behind the highest stands one more, so that there is one after it too.

Nearly always the next element is among the 57 ranks that one load brings, wherever they begin; else the counts tell
which ones to pass over.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.replay.bits import bits_below, bits_from, leading_zeros, lowest, population

# The bits come last: what is loaded below the first of them is in the table too.
SIXTY_FOURS, EIGHTS, BITS = range(3)
ROWS: Final = 3
_at = np.uint64  # an index that is not negative: none that counts from the end has to be looked for


@exact_kernel
def clear(tree, ranks):
    """Empty the bitmap for ranks 0..ranks-1 and set the sentinels."""
    words = (ranks >> 6) + 1
    tree[BITS, :words] = 0
    tree[EIGHTS, : (words >> 3) + 1] = 0
    tree[SIXTY_FOURS, : (words >> 6) + 1] = 0
    insert(tree, 0)
    insert(tree, ranks - 1)
    insert(tree, ranks)


@exact_kernel
def insert(tree, rank):
    """Set the bit of `rank`, which is not set."""
    always_inline()
    tree[BITS, _at(rank >> 6)] |= 1 << (rank & 63)
    tree[EIGHTS, _at(rank >> 9)] += 1
    tree[SIXTY_FOURS, _at(rank >> 12)] += 1


@exact_kernel
def remove(tree, rank):
    """Clear the bit of `rank`, which is set."""
    always_inline()
    tree[BITS, _at(rank >> 6)] &= ~(1 << (rank & 63))
    tree[EIGHTS, _at(rank >> 9)] -= 1
    tree[SIXTY_FOURS, _at(rank >> 12)] -= 1


@exact_kernel
def _far_after(tree, rank):
    """Return the lowest set rank of `rank` and above."""
    never_inline()
    word = rank >> 6
    bits = tree[BITS, word] & (-1 << (rank & 63))
    while bits == 0 and (word & 7) < 7:
        word += 1
        bits = tree[BITS, word]
    if bits == 0:
        group = (word >> 3) + 1
        while (group & 7) > 0 and tree[EIGHTS, group] == 0:
            group += 1
        if (group & 7) == 0:
            high = group >> 3
            while tree[SIXTY_FOURS, high] == 0:
                high += 1
            group = high << 3
            while tree[EIGHTS, group] == 0:
                group += 1
        word = group << 3
        while tree[BITS, word] == 0:
            word += 1
        bits = tree[BITS, word]
    return (word << 6) + lowest(bits)


@exact_kernel
def after(tree, rank):
    """Return the lowest set rank above `rank` (there is one: a sentinel)."""
    always_inline()
    bits = bits_from(tree, BITS, rank + 1)
    if bits != 0:
        return rank + 1 + lowest(bits)
    return _far_after(tree, rank + 1)


@exact_kernel
def _far_before(tree, rank):
    """Return the highest set rank below `rank`."""
    never_inline()
    word = rank >> 6
    bits = tree[BITS, word] & ((1 << (rank & 63)) - 1)
    while bits == 0 and (word & 7) > 0:
        word -= 1
        bits = tree[BITS, word]
    if bits == 0:
        group = (word >> 3) - 1
        while (group & 7) < 7 and tree[EIGHTS, group] == 0:
            group -= 1
        if (group & 7) == 7:
            high = group >> 3
            while tree[SIXTY_FOURS, high] == 0:
                high -= 1
            group = (high << 3) + 7
            while tree[EIGHTS, group] == 0:
                group -= 1
        word = (group << 3) + 7
        while tree[BITS, word] == 0:
            word -= 1
        bits = tree[BITS, word]
    return (word << 6) + 63 - leading_zeros(bits)


@exact_kernel
def before(tree, rank):
    """Return the highest set rank below `rank`, which is above 0 (there is one: the lower sentinel)."""
    always_inline()
    bits = bits_below(tree, BITS, rank)
    if bits != 0:
        return rank - 1 - leading_zeros(bits)
    return _far_before(tree, rank)


@exact_kernel
def select(tree, k):
    """Return the rank of the k-th set bit, counted from 0, sentinels included."""
    never_inline()
    high = 0
    while tree[SIXTY_FOURS, high] <= k:
        k -= tree[SIXTY_FOURS, high]
        high += 1
    group = high << 3
    while tree[EIGHTS, group] <= k:
        k -= tree[EIGHTS, group]
        group += 1
    word = group << 3
    count = population(tree[BITS, word])
    while count <= k:
        k -= count
        word += 1
        count = population(tree[BITS, word])
    bits = tree[BITS, word]
    base = word << 6
    width = 32
    while width > 0:  # halve the word: is the wanted bit in its lower half?
        low = population(bits & ((1 << width) - 1))
        if low <= k:
            k -= low
            bits = (bits >> width) & ((1 << (64 - width)) - 1)
            base += width
        else:
            bits &= (1 << width) - 1
        width >>= 1
    return base


@exact_kernel
def below(tree, rank):
    """Return how many set bits lie below `rank`, the lower sentinel included."""
    never_inline()
    word = rank >> 6
    total = population(tree[BITS, word] & ((1 << (rank & 63)) - 1))
    high = word >> 6
    group = word >> 3
    for i in range(high):
        total += tree[SIXTY_FOURS, i]
    for i in range(high << 3, group):
        total += tree[EIGHTS, i]
    for i in range(group << 3, word):
        total += population(tree[BITS, i])
    return total
