"""The two-sample Kolmogorov-Smirnov distance of small samples, in exact integers."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.shared.noise import noise_of
from ridgeline.kernels.shared.sort import sort_into

CHUNK: Final = 256
KS_SCRATCH_FIXED: Final = CHUNK + 2


@exact_kernel
def ks_distance(a: np.ndarray, b: np.ndarray, scratch: np.ndarray) -> int:
    """`n_a n_b D`: the largest difference of the two empirical distributions, as an exact integer.

    a, b: float64, finite, at least one point each. scratch: float64[2 (n_a + n_b) + KS_SCRATCH_FIXED].
    D > 1/2 is `2 * ks_distance(a, b, scratch) > n_a * n_b`, without rounding.

    Only the smaller sample is sorted. Between two of its neighbours its own distribution stands still while the other
    one's grows, so the difference is extreme at the smaller sample's values: just below one, or at it. Counting the
    larger sample into the gaps is all that is needed. Source: Smirnov (1939).
    """
    if a.size <= b.size:
        return _distance(a, b, scratch)
    return _distance(b, a, scratch)


@exact_kernel
def _distance(small: np.ndarray, large: np.ndarray, scratch: np.ndarray) -> int:
    """`ks_distance` with the smaller sample first; scratch: float64[4 n_small + KS_SCRATCH_FIXED]."""
    never_inline()
    n = small.size
    top = 2
    while top <= n:
        top *= 2
    places = scratch[0:CHUNK].view(np.int64)
    # `top` <= 2 n places, those from n up infinite, so that the search needs no bound.
    ordered = scratch[CHUNK : CHUNK + top]
    counts = scratch[CHUNK + top : CHUNK + top + 2 * n + 2].view(np.int64)
    sort_into(small, ordered[0:n], scratch[0:CHUNK] if n <= CHUNK else scratch[CHUNK + top : CHUNK + top + n])
    for i in range(n, top):
        ordered[i] = math.inf
    for i in range(counts.size):
        counts[i] = 0
    below = counts[0 : n + 1]  # points of `large` above ordered[i - 1] and not above ordered[i]
    equal = counts[n + 1 : 2 * n + 2]  # those of them that are equal to ordered[i]
    for start in range(0, large.size, CHUNK):
        part = large[start : min(start + CHUNK, large.size)]
        _search(ordered, part, places)
        for i in range(part.size):
            place = places[i]
            below[place] += 1
            equal[place] += ordered[place] == part[i]
    return _largest(ordered[0:n], below, equal, large.size)


@exact_kernel
def tolerant_distance(a: np.ndarray, b: np.ndarray, scratch: np.ndarray) -> int:
    """`ks_distance` where values that differ by rounding only are equal; never larger than that.

    scratch: float64[n_a + n_b + max(n_a, n_b, RUN)].
    """
    never_inline()
    spare = scratch[a.size + b.size :]
    ordered_a = scratch[0 : a.size]
    ordered_b = scratch[a.size : a.size + b.size]
    sort_into(a, ordered_a, spare)
    sort_into(b, ordered_b, spare)
    return max(_ahead(ordered_a, ordered_b), _ahead(ordered_b, ordered_a))


@exact_kernel
def _ahead(a: np.ndarray, b: np.ndarray) -> int:
    """Largest n_b #a(<= v) - n_a #b(<= v and what rounding may make of v) over the points v of a; both ascending."""
    largest = 0
    below = 0
    for i in range(a.size):
        reach = a[i] + noise_of(a[i], a[i])
        while below < b.size and b[below] <= reach:
            below += 1
        largest = max(largest, (i + 1) * b.size - below * a.size)
    return largest


@exact_kernel
def _search(ordered: np.ndarray, x: np.ndarray, places: np.ndarray) -> None:
    """For each x, the number of `ordered` below it; ordered: float64[2**k], the last infinite; places: int64.

    All points take each step of the bisection together: their loads overlap and nothing is there to mispredict
    (1.1 us for 300 points against 61; point by point 8.6).
    """
    step = ordered.size >> 1
    middle = ordered[step - 1]
    for i in range(x.size):
        places[i] = step * (middle < x[i])
    step >>= 1
    while step > 0:
        ahead = ordered[step - 1 :]
        for i in range(x.size):
            place = places[i]
            # Unsigned: an index that may be negative costs a test for wrapping around.
            places[i] = place + step * (ahead[np.uint64(place)] < x[i])
        step >>= 1


@exact_kernel
def _largest(ordered: np.ndarray, below: np.ndarray, equal: np.ndarray, n_large: int) -> int:
    """Largest |n_small #large(<= v) - n_large #small(<= v)| over all v, from the counts per gap."""
    n = ordered.size
    largest = 0
    larger = 0
    i = 0
    while i < n:
        end = i + 1
        while end < n and ordered[end] == ordered[i]:
            end += 1
        larger += below[i]
        under = n * (larger - equal[i]) - n_large * i
        at = n_large * end - n * larger
        largest = max(largest, under, at)
        i = end
    return largest
