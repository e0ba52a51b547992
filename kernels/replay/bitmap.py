"""The window as a bitmap over ranks: next, previous and k-th element, and how many lie between two ranks.

`b0` holds one bit per rank, `b1` one bit per non-empty word of `b0`, `b2` one bit per non-empty word of `b1`;
`g0` counts the bits of 8 words (512 ranks), `g1` those of 64 (4096 ranks). All are int64. The lowest and the
highest rank are sentinels whose bits are always set, so that `after` and `before` always find one.
"""

from __future__ import annotations

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.replay.bits import leading_zeros, lowest, population


@exact_kernel
def clear(b0, b1, b2, g0, g1, ranks):
    """Empty the bitmap for ranks 0..ranks-1 and set the two sentinels."""
    words = (ranks >> 6) + 1
    b0[:words] = 0
    b1[: (words >> 6) + 1] = 0
    b2[: (words >> 12) + 1] = 0
    g0[: (words >> 3) + 1] = 0
    g1[: (words >> 6) + 1] = 0
    insert(b0, b1, b2, g0, g1, 0)
    insert(b0, b1, b2, g0, g1, ranks - 1)


@exact_kernel
def insert(b0, b1, b2, g0, g1, rank):
    """Set the bit of `rank`."""
    word = rank >> 6
    b0[word] |= 1 << (rank & 63)
    b1[word >> 6] |= 1 << (word & 63)
    b2[word >> 12] |= 1 << ((word >> 6) & 63)
    g0[word >> 3] += 1
    g1[word >> 6] += 1


@exact_kernel
def remove(b0, b1, b2, g0, g1, rank):
    """Clear the bit of `rank`."""
    word = rank >> 6
    b0[word] &= ~(1 << (rank & 63))
    g0[word >> 3] -= 1
    g1[word >> 6] -= 1
    if b0[word] == 0:
        b1[word >> 6] &= ~(1 << (word & 63))
        if b1[word >> 6] == 0:
            b2[word >> 12] &= ~(1 << ((word >> 6) & 63))


@exact_kernel
def after(b0, b1, b2, rank):
    """Return the lowest set rank above `rank` (there is one: the upper sentinel)."""
    word = rank >> 6
    bits = b0[word] & (-2 << (rank & 63))
    if bits != 0:
        return (word << 6) + lowest(bits)
    word += 1
    if b0[word] != 0:
        return (word << 6) + lowest(b0[word])
    high = word >> 6
    bits = b1[high] & (-2 << (word & 63))
    if bits == 0:
        top = high >> 6
        bits = b2[top] & (-2 << (high & 63))
        while bits == 0:
            top += 1
            bits = b2[top]
        high = (top << 6) + lowest(bits)
        bits = b1[high]
    word = (high << 6) + lowest(bits)
    return (word << 6) + lowest(b0[word])


@exact_kernel
def before(b0, b1, b2, rank):
    """Return the highest set rank below `rank` (there is one: the lower sentinel)."""
    word = rank >> 6
    bits = b0[word] & ((1 << (rank & 63)) - 1)
    if bits != 0:
        return (word << 6) + 63 - leading_zeros(bits)
    word -= 1
    if b0[word] != 0:
        return (word << 6) + 63 - leading_zeros(b0[word])
    high = word >> 6
    bits = b1[high] & ((1 << (word & 63)) - 1)
    if bits == 0:
        top = high >> 6
        bits = b2[top] & ((1 << (high & 63)) - 1)
        while bits == 0:
            top -= 1
            bits = b2[top]
        high = (top << 6) + 63 - leading_zeros(bits)
        bits = b1[high]
    word = (high << 6) + 63 - leading_zeros(bits)
    return (word << 6) + 63 - leading_zeros(b0[word])


@exact_kernel
def select(b0, g0, g1, k):
    """Return the rank of the k-th set bit, counted from 0, sentinels included."""
    never_inline()
    high = 0
    while g1[high] <= k:
        k -= g1[high]
        high += 1
    group = high << 3
    while g0[group] <= k:
        k -= g0[group]
        group += 1
    word = group << 3
    count = population(b0[word])
    while count <= k:
        k -= count
        word += 1
        count = population(b0[word])
    bits = b0[word]
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
def below(b0, g0, g1, rank):
    """Return how many set bits lie below `rank`, the lower sentinel included."""
    never_inline()
    word = rank >> 6
    total = population(b0[word] & ((1 << (rank & 63)) - 1))
    high = word >> 6
    group = word >> 3
    for i in range(high):
        total += g1[i]
    for i in range(high << 3, group):
        total += g0[i]
    for i in range(group << 3, word):
        total += population(b0[i])
    return total
