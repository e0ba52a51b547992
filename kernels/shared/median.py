"""The exact median: bracket, compress, narrow, pick."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, kernel, never_inline
from ridgeline.kernels.shared.bounds import bounds

FEW: Final = 32  # so many candidates are ranked by counting
SAMPLE: Final = 51  # so few medians of three make a bracket
ROUNDS: Final = 8


@exact_kernel
def median_of_three(a: float, b: float, c: float) -> float:
    """Return the middle one of three values."""
    low = min(a, b)
    high = max(a, b)
    return max(low, min(high, c))


@exact_kernel
def bracket(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float]:
    """Return (low, high), which very probably hold the median of x float64[n >= 3]; scratch float64[>= n + 2].

    Medians of three of medians of three, until few remain: their smallest and largest.
    """
    m = x.size // 3
    a = x[:m]
    b = x[m : 2 * m]
    c = x[2 * m : 3 * m]
    out = scratch[:m]
    for i in range(m):
        out[i] = median_of_three(a[i], b[i], c[i])
    while m >= SAMPLE:
        third = m // 3
        for i in range(third):
            out[i] = median_of_three(out[i], out[i + third], out[i + 2 * third])
        m = third
    return bounds(scratch[:m], scratch[m : m + 2])


@exact_kernel
def compress(x: np.ndarray, low: float, high: float, out: np.ndarray) -> tuple[int, int]:
    """Copy the values of x inside [low, high] to out, in order; return (values below low, values copied).

    Branch-free; out may be x itself.
    """
    below = 0
    kept = 0
    for i in range(x.size):
        v = x[i]
        out[kept] = v
        kept += (v >= low) & (v <= high)
        below += v < low
    return below, kept


@exact_kernel
def pick(z: np.ndarray, rank: int) -> float:
    """Return the value of the given rank (0 = smallest) among few values z, by counting."""
    for i in range(z.size):
        v = z[i]
        less = 0
        equal = 0
        for j in range(z.size):
            less += z[j] < v
            equal += z[j] == v
        if less <= rank < less + equal:
            return v
    return np.nan


@exact_kernel
def quickselect(z: np.ndarray, rank: int) -> float:
    """Return the value of the given rank of z float64[n], which is reordered (Hoare 1961)."""
    left = 0
    right = z.size - 1
    while left < right:
        pivot = median_of_three(z[left], z[(left + right) >> 1], z[right])
        i = left
        j = right
        while i <= j:
            while z[i] < pivot:
                i += 1
            while z[j] > pivot:
                j -= 1
            if i <= j:
                z[i], z[j] = z[j], z[i]
                i += 1
                j -= 1
        if rank <= j:
            right = j
        elif rank >= i:
            left = i
        else:
            return z[rank]
    return z[rank]


@kernel
def cuts(low: float, high: float, count: int, first: int, last: int) -> tuple[float, float]:
    """Return the inner bounds that should hold ranks first..last of `count` values spread evenly over [low, high]."""
    slack = 2.5 * np.sqrt(first * (1.0 - first / count)) + 2.0
    width = (high - low) / count
    return max(low, low + (first - slack) * width), min(high, low + (last + 1.0 + slack) * width)


@exact_kernel
def middle_pair(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float]:
    """Return the values of ranks (n-1)//2 and n//2 of x float64[n >= 1]; scratch float64[>= n + 2]."""
    never_inline()
    n = x.size
    first = (n - 1) // 2
    last = n // 2
    if n <= FEW:
        return pick(x, first), pick(x, last)
    low, high = bracket(x, scratch)
    below, kept = compress(x, low, high, scratch)
    if below > first or below + kept <= last:
        if below > first:
            low = -np.inf
        if below + kept <= last:
            high = np.inf
        below, kept = compress(x, low, high, scratch)
    first -= below
    last -= below
    return narrowed_pair(scratch[:kept], scratch[kept : kept + 2], first, last)


@exact_kernel
def narrowed_pair(z: np.ndarray, spare: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Return the values of two neighbouring ranks of z, which is overwritten."""
    count = z.size
    for _ in range(ROUNDS):
        if count <= FEW:
            return pick(z[:count], first), pick(z[:count], last)
        low, high = bounds(z[:count], spare)
        if low == high:
            return low, low
        left, right = cuts(low, high, count, first, last)
        below = 0
        kept = 0
        for i in range(count):
            kept += (z[i] >= left) & (z[i] <= right)
            below += z[i] < left
        if below > first or below + kept <= last or kept > count - (count >> 3):
            break
        compress(z[:count], left, right, z)
        count = kept
        first -= below
        last -= below
    a = quickselect(z[:count], first)
    return a, (a if first == last else quickselect(z[:count], last))


@exact_kernel
def median(x: np.ndarray, scratch: np.ndarray) -> float:
    """Return the median of x float64[n >= 1], the mean of the middle two where n is even."""
    low, high = middle_pair(x, scratch)
    return low if low == high else (low + high) / 2.0
