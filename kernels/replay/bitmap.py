"""The window as a bitmap over ranks: next, previous and k-th element, and how many lie below a rank.

`tree` int64[5, words]: one bit per rank, one bit per non-empty word of those, one per non-empty word of these; then
the number of set bits in every 8 words (512 ranks) and in every 64 (4096 ranks). The lowest and the highest rank are
sentinels whose bits are always set, so that `after` and `before` always find one.
"""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import always_inline, exact_kernel, never_inline
from ridgeline.kernels.replay.bits import leading_zeros, lowest, population

BITS, WORDS, HIGHER, EIGHTS, SIXTY_FOURS = range(5)
ROWS: Final = 5


@exact_kernel
def clear(tree, ranks):
    """Empty the bitmap for ranks 0..ranks-1 and set the two sentinels."""
    words = (ranks >> 6) + 1
    tree[BITS, :words] = 0
    tree[WORDS, : (words >> 6) + 1] = 0
    tree[HIGHER, : (words >> 12) + 1] = 0
    tree[EIGHTS, : (words >> 3) + 1] = 0
    tree[SIXTY_FOURS, : (words >> 6) + 1] = 0
    insert(tree, 0)
    insert(tree, ranks - 1)


@exact_kernel
def insert(tree, rank):
    """Set the bit of `rank`."""
    always_inline()
    word = rank >> 6
    tree[BITS, word] |= 1 << (rank & 63)
    tree[WORDS, word >> 6] |= 1 << (word & 63)
    tree[HIGHER, word >> 12] |= 1 << ((word >> 6) & 63)
    tree[EIGHTS, word >> 3] += 1
    tree[SIXTY_FOURS, word >> 6] += 1


@exact_kernel
def remove(tree, rank):
    """Clear the bit of `rank`."""
    always_inline()
    word = rank >> 6
    tree[BITS, word] &= ~(1 << (rank & 63))
    tree[EIGHTS, word >> 3] -= 1
    tree[SIXTY_FOURS, word >> 6] -= 1
    if tree[BITS, word] == 0:
        tree[WORDS, word >> 6] &= ~(1 << (word & 63))
        if tree[WORDS, word >> 6] == 0:
            tree[HIGHER, word >> 12] &= ~(1 << ((word >> 6) & 63))


@exact_kernel
def _far_after(tree, word):
    """Return the lowest set rank above all those of `word`."""
    never_inline()
    high = word >> 6
    bits = tree[WORDS, high] & (-2 << (word & 63))
    if bits == 0:
        top = high >> 6
        bits = tree[HIGHER, top] & (-2 << (high & 63))
        while bits == 0:
            top += 1
            bits = tree[HIGHER, top]
        high = (top << 6) + lowest(bits)
        bits = tree[WORDS, high]
    word = (high << 6) + lowest(bits)
    return (word << 6) + lowest(tree[BITS, word])


@exact_kernel
def after(tree, rank):
    """Return the lowest set rank above `rank` (there is one: the upper sentinel)."""
    always_inline()
    word = rank >> 6
    bits = tree[BITS, word] & (-2 << (rank & 63))
    if bits != 0:
        return (word << 6) + lowest(bits)
    return _far_after(tree, word)


@exact_kernel
def _far_before(tree, word):
    """Return the highest set rank below all those of `word`."""
    never_inline()
    high = word >> 6
    bits = tree[WORDS, high] & ((1 << (word & 63)) - 1)
    if bits == 0:
        top = high >> 6
        bits = tree[HIGHER, top] & ((1 << (high & 63)) - 1)
        while bits == 0:
            top -= 1
            bits = tree[HIGHER, top]
        high = (top << 6) + 63 - leading_zeros(bits)
        bits = tree[WORDS, high]
    word = (high << 6) + 63 - leading_zeros(bits)
    return (word << 6) + 63 - leading_zeros(tree[BITS, word])


@exact_kernel
def before(tree, rank):
    """Return the highest set rank below `rank` (there is one: the lower sentinel)."""
    always_inline()
    word = rank >> 6
    bits = tree[BITS, word] & ((1 << (rank & 63)) - 1)
    if bits != 0:
        return (word << 6) + 63 - leading_zeros(bits)
    return _far_before(tree, word)


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
