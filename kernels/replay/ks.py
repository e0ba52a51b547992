"""The two-sample Kolmogorov-Smirnov distance at every step, in exact integers.

Both samples of a few hundred steps are laid on one scale of distinct values; each sample's distribution is an int32
prefix count over that scale. A point that comes, moves or goes adds to a stretch of one, and the distance is the
largest |n_probe refs - n_ref probes|: plain loops over int32, which vectorise.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.ks_test import MIN_SAMPLE
from ridgeline.kernels.replay.bits import lowest
from ridgeline.kernels.shared.switches import PROBE, REFERENCE

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
def pointers(t, begin, end, first, ref, probe, switches, refs_from, probes_from):
    """Fill refs_from[j], probes_from[j], where both samples of each step begin; return (ref, probe) to go on with.

    Samples are cut to the window: the reference is x[refs_from : probes_from], the probe x[probes_from : i + 1].
    """
    never_inline()
    newest = switches[PROBE]
    whole = switches[REFERENCE]
    for j in range(end - begin):
        i = begin + j
        ref = max(ref, first[j])
        while t[ref] < t[i] - whole:
            ref += 1
        probe = max(probe, ref)
        while t[probe] < t[i] - newest:
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
def _furthest(gaps, size):
    """Return the largest |gap| of the first `size` slots; int32."""
    never_inline()
    z = gaps[:size]
    best = np.int32(0)
    for k in range(z.size):
        best = max(best, np.int32(abs(z[k])))
    return np.int64(best)


@exact_kernel
def _steady(begin, end, base, places, refs_from, probes_from, refs, probes, size, row):
    """Follow points of which one comes, one moves on and one goes at every step: the sample sizes stand still.

    Then one array will do, n_probe refs - n_ref probes; it takes the place of `refs`. `probes` knows nothing afterwards.
    """
    n_ref = probes_from[0] - refs_from[0]
    n_probe = begin + 1 - probes_from[0]
    for k in range(size):
        refs[k] = np.int32(np.int32(refs[k] * n_probe) - np.int32(probes[k] * n_ref))
    for j in range(end - begin):
        i = begin + j
        if j > 0:
            _add(refs, places[probes_from[j] - 1 - base], size, n_probe + n_ref)
            _add(refs, places[refs_from[j] - 1 - base], size, -n_probe)
        _add(refs, places[i - base], size, -n_ref)
        row[j] = _furthest(refs, size) / (n_ref * n_probe)


@exact_kernel
def _unsteady(begin, end, base, places, refs_from, probes_from, refs, probes, size, row):
    """Follow points that come, move on and go as they like."""
    ref = refs_from[0]
    probe = probes_from[0]
    for j in range(end - begin):
        i = begin + j
        _add(probes, places[i - base], size, 1)
        while probe < probes_from[j]:
            _add(probes, places[probe - base], size, -1)
            _add(refs, places[probe - base], size, 1)
            probe += 1
        while ref < refs_from[j]:
            _add(refs, places[ref - base], size, -1)
            ref += 1
        n_ref = probe - ref
        n_probe = i + 1 - probe
        if n_ref >= MIN_SAMPLE and n_probe >= MIN_SAMPLE and n_ref * n_probe < MOST:
            row[j] = _largest(refs, probes, size, n_ref, n_probe) / (n_ref * n_probe)


@exact_kernel
def walk(begin, end, base, live, refs_from, probes_from, rank, sx, marks, slot, places, refs, probes, row):
    """Write into row[j] float64 the distance D of each step, NaN where a sample has fewer than 20 points.

    marks int64[words of the chunk's ranks], all zero before and after; slot (by rank), places (by point), refs, probes
    int32[ranks + 2]. Nothing is computed where no step is live.
    """
    never_inline()
    eligible = False
    steady = True
    for j in range(end - begin):
        n_ref = probes_from[j] - refs_from[j]
        n_probe = begin + j + 1 - probes_from[j]
        row[j] = np.nan
        eligible |= (live[j] != 0) & (n_ref >= MIN_SAMPLE) & (n_probe >= MIN_SAMPLE)
        steady &= (n_ref == probes_from[0] - refs_from[0]) & (n_probe == begin + 1 - probes_from[0])
    if not eligible:
        return
    start = refs_from[0]
    size = _slots(start, end, base, rank, sx, marks, slot)
    refs[:size] = 0
    probes[:size] = 0
    for i in range(start, end):
        place = slot[rank[i - base]]
        places[i - base] = place
        if i < probes_from[0]:
            refs[place] += 1
        elif i < begin:
            probes[place] += 1
    for k in range(1, size):
        refs[k] += refs[k - 1]
        probes[k] += probes[k - 1]
    if steady and (probes_from[0] - start) * (begin + 1 - probes_from[0]) < MOST:
        _steady(begin, end, base, places, refs_from, probes_from, refs, probes, size, row)
    else:
        _unsteady(begin, end, base, places, refs_from, probes_from, refs, probes, size, row)
