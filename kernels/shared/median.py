"""The exact median: bracket it, compress to the bracket, narrow, pick by counting."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.shared.bounds import bounds
from ridgeline.kernels.shared.compress import compress

FEW: Final = 32  # so many candidates are ranked by counting
BRACKET: Final = 51  # fewer medians of three make a bracket
SAMPLE: Final = 15
ROUNDS: Final = 8


@exact_kernel
def median_of_three(a: float, b: float, c: float) -> float:
    """Return the middle one of three values."""
    low = min(b, a)
    high = max(a, b)
    inner = min(high, c)
    return max(low, inner)


@exact_kernel
def thirds(x: np.ndarray, out: np.ndarray) -> None:
    """Fill out float64[m] with the medians of x[i], x[i + m] and x[i + 2 m]; x float64[>= 3 m]."""
    m = out.size
    a = x[:m]
    b = x[m : 2 * m]
    c = x[2 * m : 3 * m]
    for i in range(m):
        out[i] = median_of_three(a[i], b[i], c[i])


@exact_kernel
def bracket(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float]:
    """Return (low, high), which very probably hold the median of x float64[n >= 3]; scratch float64[>= n].

    Medians of three of medians of three, until few remain: their smallest and largest.
    """
    never_inline()
    m = x.size // 3
    start = 0
    thirds(x, scratch[:m])
    while m >= BRACKET:
        third = m // 3
        thirds(scratch[start : start + m], scratch[start + m : start + m + third])
        start += m
        m = third
    return bounds(scratch[start : start + m], scratch[start + m : start + m + 2])


@exact_kernel
def pick_pair(z: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Return the values of two ranks (0 = smallest) among few values z, by counting."""
    a = z[0]
    b = z[0]
    for i in range(z.size):
        v = z[i]
        less = 0
        most = 0
        for j in range(z.size):
            less += z[j] < v
            most += z[j] <= v
        a = v if less <= first < most else a
        b = v if less <= last < most else b
    return a, b


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


@exact_kernel
def even_cuts(low: float, high: float, count: int, first: int, last: int) -> tuple[float, float]:
    """Return inner bounds that hold ranks first..last of `count` values if they lie evenly over [low, high]."""
    slack = 2.5 * np.sqrt(first * (1.0 - first / count)) + 2.0
    width = (high - low) / count
    return max(low, low + (first - slack) * width), min(high, low + (last + 1.0 + slack) * width)


@exact_kernel
def sampled_pivot(z: np.ndarray, rank: int, sample: np.ndarray) -> float:
    """Return a value of z float64[n >= SAMPLE] near the given rank, from a strided sample; sample float64[SAMPLE]."""
    stride = z.size // SAMPLE
    for k in range(SAMPLE):
        v = z[k * stride + (stride >> 1)]
        i = k
        while i > 0 and sample[i - 1] > v:
            sample[i] = sample[i - 1]
            i -= 1
        sample[i] = v
    return sample[rank * SAMPLE // z.size]


@exact_kernel
def pivot_cuts(
    z: np.ndarray, low: float, high: float, first: int, last: int, sample: np.ndarray
) -> tuple[float, float]:
    """Return bounds that surely hold ranks first..last of z, one of them at a pivot or next to it; equal if it is both.

    However many values tie, they lose at least one.
    """
    pivot = sampled_pivot(z, first, sample)
    less = 0
    most = 0
    for i in range(z.size):
        less += z[i] < pivot
        most += z[i] <= pivot
    if first >= less:
        return (pivot if first < most else np.nextafter(pivot, np.inf)), (pivot if last < most else high)
    return low, (pivot if last >= less else np.nextafter(pivot, -np.inf))


@exact_kernel
def narrowed_pair(z: np.ndarray, spare: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Return the values of two neighbouring ranks of z; z is overwritten; spare float64[>= 2 z.size + 128]."""
    never_inline()
    even = True
    for _ in range(ROUNDS):
        count = z.size
        if count <= FEW:
            return pick_pair(z, first, last)
        low, high = bounds(z, spare)
        if even:
            left, right = even_cuts(low, high, count, first, last)
        else:
            left, right = pivot_cuts(z, low, high, first, last, spare)
        if left == right:
            # All of z is equal, or the pivot is both values; cuts between values meet only where no double is.
            if not even or low == high:
                return left, right
        below, kept = compress(z, left, right, spare)
        even = even and below <= first and below + kept > last and kept < count - (count >> 2)
        if below <= first and below + kept > last:
            z, spare = spare[:kept], spare[kept + 8 :]
            first -= below
            last -= below
    a = quickselect(z, first)
    return a, (a if first == last else quickselect(z, last))


@exact_kernel
def middle_pair(x: np.ndarray, scratch: np.ndarray) -> tuple[float, float]:
    """Return the values of ranks (n-1)//2 and n//2 of x float64[n >= 1]; scratch float64[>= 3 n + 128]."""
    never_inline()
    n = x.size
    first = (n - 1) // 2
    last = n // 2
    if n <= FEW:
        return pick_pair(x, first, last)
    low, high = bracket(x, scratch)
    below, kept = compress(x, low, high, scratch)
    if below > first or below + kept <= last:
        if below > first:
            low = -np.inf
        if below + kept <= last:
            high = np.inf
        below, kept = compress(x, low, high, scratch)
    return narrowed_pair(scratch[:kept], scratch[kept + 8 :], first - below, last - below)


@exact_kernel
def median(x: np.ndarray, scratch: np.ndarray) -> float:
    """Return the median of x float64[n >= 1], the mean of the middle two where n is even."""
    low, high = middle_pair(x, scratch)
    return low if low == high else (low + high) / 2.0
