"""The two-sample Kolmogorov-Smirnov distance at every step, in exact integers.

Both samples of a few hundred steps are laid on one scale of distinct values; each sample's distribution is an int32
prefix count over that scale. A point that comes, moves or goes adds to a stretch of one, and the distance is the
largest |n_probe refs - n_ref probes|: plain loops over int32, which vectorise.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.ks_test import MIN_SAMPLE, PROBE, REFERENCE
from ridgeline.kernels.replay.bits import lowest

MOST: Final = 1 << 30  # product of the sample sizes above which int32 would not do


@exact_kernel
def _add(counts, start, size, amount):
    """Add `amount` to counts[start:size]; int32."""
    never_inline()
    z = counts[start:size]
    for k in range(z.size):
        z[k] = np.int32(z[k] + amount)


@exact_kernel
def _largest(refs, probes, size, n_ref, n_probe):
    """Return the largest |n_probe refs - n_ref probes| of the first `size` slots."""
    never_inline()
    a = refs[:size]
    b = probes[:size]
    na = np.int32(n_probe)
    nb = np.int32(n_ref)
    best = np.int32(0)
    for k in range(a.size):
        d = np.int32(np.int32(na * a[k]) - np.int32(nb * b[k]))
        best = max(best, np.int32(abs(d)))
    return np.int64(best)


@exact_kernel
def pointers(t, begin, end, first, ref, probe, refs_from, probes_from):
    """Fill refs_from[j], probes_from[j], where both samples of each step begin; return (ref, probe) to go on with.

    Samples are cut to the window: the reference is x[refs_from : probes_from], the probe x[probes_from : i + 1].
    """
    never_inline()
    for i in range(begin, end):
        j = i - begin
        ref = max(ref, first[j])
        while t[ref] < t[i] - REFERENCE:
            ref += 1
        probe = max(probe, ref)
        while t[probe] < t[i] - PROBE:
            probe += 1
        refs_from[j] = ref
        probes_from[j] = probe
    return ref, probe


@exact_kernel
def _slots(begin, end, base, rank, sx, marks, slot):
    """Give each distinct value of the points begin..end-1 a slot, ascending: slot[rank]; return how many."""
    never_inline()
    low = rank[begin - base]
    high = low
    for i in range(begin, end):
        r = rank[i - base]
        low = min(low, r)
        high = max(high, r)
        marks[r >> 6] |= 1 << (r & 63)
    size = -1
    value = -np.inf
    for word in range(low >> 6, (high >> 6) + 1):
        bits = marks[word]
        marks[word] = 0
        while bits != 0:
            r = (word << 6) + lowest(bits)
            bits &= bits - 1
            if sx[r] != value:
                value = sx[r]
                size += 1
            slot[r] = size
    return size + 1


@exact_kernel
def walk(begin, end, base, live, refs_from, probes_from, rank, sx, marks, slot, refs, probes, row):
    """Write into row[j] float64 the distance D of each live step, NaN where a sample has fewer than 20 points.

    marks int64[words of the chunk's ranks], all zero before and after; slot, refs, probes int32[ranks + 2].
    """
    never_inline()
    eligible = False
    for j in range(end - begin):
        n_ref = probes_from[j] - refs_from[j]
        n_probe = begin + j + 1 - probes_from[j]
        row[j] = np.nan
        eligible |= (live[j] != 0) & (n_ref >= MIN_SAMPLE) & (n_probe >= MIN_SAMPLE)
    if not eligible:
        return
    start = refs_from[0]
    size = _slots(start, end, base, rank, sx, marks, slot)
    refs[:size] = 0
    probes[:size] = 0
    ref = start
    probe = probes_from[0]
    for i in range(start, probe):
        refs[slot[rank[i - base]]] += 1
    for i in range(probe, begin):
        probes[slot[rank[i - base]]] += 1
    for k in range(1, size):
        refs[k] += refs[k - 1]
        probes[k] += probes[k - 1]
    for i in range(begin, end):
        j = i - begin
        _add(probes, slot[rank[i - base]], size, 1)
        while probe < probes_from[j]:
            s = slot[rank[probe - base]]
            _add(probes, s, size, -1)
            _add(refs, s, size, 1)
            probe += 1
        while ref < refs_from[j]:
            _add(refs, slot[rank[ref - base]], size, -1)
            ref += 1
        n_ref = probe - ref
        n_probe = i + 1 - probe
        if live[j] != 0 and n_ref >= MIN_SAMPLE and n_probe >= MIN_SAMPLE and n_ref * n_probe < MOST:
            row[j] = _largest(refs, probes, size, n_ref, n_probe) / (n_ref * n_probe)
