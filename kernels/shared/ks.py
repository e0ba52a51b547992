"""The two-sample Kolmogorov-Smirnov distance of small samples, in exact integers."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.shared.sort import sort_into


@exact_kernel
def ks_distance(a: np.ndarray, b: np.ndarray, scratch: np.ndarray) -> int:
    """`n_a n_b D`: the largest difference of the two empirical distributions, as an exact integer.

    a, b: float64, finite, at least one point each. scratch: float64[2 (n_a + n_b) + 2].
    D > 1/2 is `2 * ks_distance(a, b) > n_a * n_b`, without rounding.

    Only the smaller sample is sorted. Between two of its neighbours its own distribution stands still while the other
    one's grows, so the difference is extreme at the smaller sample's values: just below one, or at it. Counting the
    larger sample into the gaps is all that is needed. Source: Smirnov (1939).
    """
    if a.size <= b.size:
        return _distance(a, b, scratch)
    return _distance(b, a, scratch)


@exact_kernel
def _distance(small: np.ndarray, large: np.ndarray, scratch: np.ndarray) -> int:
    """`ks_distance` with the smaller sample first; scratch: float64[4 n_small + 2]."""
    n = small.size
    ordered = scratch[0:n]
    below = scratch[n : 2 * n + 1]  # points of `large` above ordered[i - 1] and not above ordered[i]
    equal = scratch[2 * n + 1 : 3 * n + 2]  # of those, the ones equal to ordered[i]
    sort_into(small, ordered, below[0:n])
    below[:] = 0.0
    equal[:] = 0.0
    top = 1
    while top < n:
        top *= 2
    for i in range(large.size):
        v = large[i]
        place = 0
        step = top
        while step > 0:
            probe = place + step
            if probe <= n and ordered[probe - 1] < v:
                place = probe
            step >>= 1
        below[place] += 1.0
        if place < n and ordered[place] == v:
            equal[place] += 1.0
    return _largest(ordered, below, equal, large.size)


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
        larger += int(below[i])
        under = n * (larger - int(equal[i])) - n_large * i
        at = n_large * end - n * larger
        largest = max(largest, under, at)
        i = end
    return largest
