"""Ranks of a chunk of points: a radix sort in scratch, done once per chunk before its steps are walked."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.replay.layout import RADIX
from ridgeline.kernels.shared.noise import NEAR, NOISE

MOVES = 8  # moves per point after which the quick sort by 33 bits gives way to the full one


@exact_kernel
def _pass(source, target, payload, moved, carry, n, shift, count):
    """Sort `source` (int64[n]) stably by the 11 bits at `shift` into `target`; `payload` moves along if `carry`."""
    never_inline()
    count[:RADIX] = 0
    for i in range(n):
        count[(source[i] >> shift) & (RADIX - 1)] += 1
    total = 0
    for d in range(RADIX):
        size = count[d]
        count[d] = total
        total += size
    for i in range(n):
        digit = (source[i] >> shift) & (RADIX - 1)
        place = count[digit]
        count[digit] = place + 1
        target[place] = source[i]
        if carry:
            moved[place] = payload[i]


@exact_kernel
def _full(x, n, order, key, spare, index, count):
    """Write into `order` (int64[n]) the indices that sort x[:n], by all 64 bits of the values."""
    never_inline()
    bits = x.view(np.int64)
    for i in range(n):
        b = bits[i]
        key[i] = b ^ ((b >> 63) & 0x7FFFFFFFFFFFFFFF)  # signed integers in the order of the doubles
        order[i] = i
    for p in range(3):
        _pass(key, spare, order, index, True, n, 22 * p, count)
        if p == 2:  # the last digit holds the sign: negative keys come first
            for i in range(n):
                spare[i] ^= -0x8000000000000000
        _pass(spare, key, index, order, True, n, 22 * p + 11, count)


@exact_kernel
def _stride(n):
    """Return a stride that leads through all of 0..n-1, n > 0, neighbours far apart: about the golden section of n."""
    stride = max(1, int(0.6180339887498949 * n))
    a = 0
    while a != 1:
        stride += 1
        a, b = n, stride
        while b > 0:
            a, b = b, a % b
    return stride


@exact_kernel
def rank_points(x, n, sx, rank, key, spare, index, order, count):
    """Rank x[:n]: `sx` float64[n + 2] gets the sorted values between -inf and +inf, `rank` int32[n] each point's place.

    Places run from 1 to n; equal values get neighbouring places, those of any window spread evenly among the others, so
    that no long gaps lie between them. Quick way: a linear 33-bit key, three passes, then insertion by the true values;
    where that moves too much, all 64 bits. `key`, `spare`,
    `index`, `order` are int64[n], `count` int64[2048]; `spare` and `index` hold nothing afterwards.
    """
    never_inline()
    sx[0] = -np.inf
    sx[n + 1] = np.inf
    lo = np.inf
    hi = -np.inf
    for i in range(n):
        lo = min(lo, x[i])
        hi = max(hi, x[i])
    scale = 8589934591.0 / (hi - lo)
    quick = hi > lo and scale < 1e300 and hi - lo < 1e300
    moves = 0
    if quick:
        stride = _stride(n) % n
        p = 0
        for i in range(n):
            key[i] = (np.int64((x[p] - lo) * scale) << 30) | p
            p += stride
            p -= n if p >= n else 0
        _pass(key, spare, index, index, False, n, 30, count)
        _pass(spare, key, index, index, False, n, 41, count)
        _pass(key, spare, index, index, False, n, 52, count)
        for i in range(n):
            p = spare[i] & 0x3FFFFFFF
            value = x[p]
            j = i
            while sx[j] > value:  # sx[j] is the value at place j - 1, counted from 0
                sx[j + 1] = sx[j]
                order[j] = order[j - 1]
                j -= 1
                moves += 1
            sx[j + 1] = value + 0.0  # -0.0 becomes 0.0
            order[j] = p
            if moves > MOVES * n:
                break
    if not quick or moves > MOVES * n:
        _full(x, n, order, key, spare, index, count)
        for i in range(n):
            sx[i + 1] = x[order[i]] + 0.0
    for i in range(n):
        rank[order[i]] = i + 1


@exact_kernel
def any_close(sx, n):
    """Return whether two different values of sx[1 : n + 1], ascending, differ by rounding only."""
    never_inline()
    close = False
    for i in range(1, n):
        gap = sx[i + 1] - sx[i]
        close |= (gap > 0.0) & (gap <= NEAR * NOISE * abs(sx[i]))
    return close
