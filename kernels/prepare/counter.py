"""Whether a window is one of a counter: rules of counts over its points and its pairs of neighbours.

Skyline's test (spec of `strictly_increasing_monotonicity`), for values that are all floats: none below 0, at most one
drop for every four rises, and of the drops at least one a reset, a fall to next to nothing. Two readings of it:

native      at least ten rises, so that a constant that moves once is no counter; and next to nothing is measured
            against the height of the fall itself, so that all of it are counts of neighbouring pairs
earthgecko  ten rises are not asked for, and next to nothing is measured against the range of the window

Whoever keeps rises, drops, resets and negatives can keep the native rule up to date without reading the window again.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel, never_inline
from ridgeline.kernels.shared.bounds import bounds

POINTS: Final = 90  # fewer tell nothing
RISES: Final = 10
RISES_PER_DROP: Final = 4
DROPS: Final = 279  # more than so many tell of no counter, whatever they fall to
_BLOCK: Final = 128  # pairs between one look at their number and the next


@exact_kernel
def least_rises(skyline: int) -> int:
    """Return how many rises a counter has at least; skyline: the profile's switch, not 0 for Skyline's reading."""
    return 1 if skyline != 0 else RISES


@exact_kernel
def most_drops(n: int) -> int:
    """Return how many drops a counter's window of n points has at most, whatever its rises."""
    # Pairs are rises, drops or neither: with more drops than a fifth of them, no number of rises is enough.
    return min((n - 1) // (RISES_PER_DROP + 1), DROPS)


@exact_kernel
def has_negatives(x: np.ndarray) -> bool:
    """Return whether any value of x float64[n] is below 0; -0.0 is not."""
    bits = x.view(np.int64)
    signs = 0
    for i in range(bits.size):
        signs |= bits[i]
    if signs >= 0:
        return False
    first = 0  # some sign is set, and be it that of a -0.0
    while first < x.size and x[first] >= 0.0:
        first += 1
    return first < x.size


@exact_kernel
def falls_to_nothing(height: float, after: float) -> bool:
    """Return whether `after` is at most 1 % of a height, 2 % of one above 1,000, 3 % of one above 10,000."""
    percent = 1.0 + (height > 1000.0) + (height > 10000.0)
    return after * 100.0 <= height * percent


@exact_kernel
def count_drops(x: np.ndarray, limit: int) -> int:
    """Return how many of x float64[n] are lower than the one before them; not all of them once they exceed the limit."""
    drops = 0
    for start in range(1, x.size, _BLOCK):
        stop = min(start + _BLOCK, x.size)
        before = x[start - 1 : stop - 1]
        after = x[start:stop]
        for i in range(after.size):
            drops += after[i] < before[i]
        if drops > limit:
            break
    return drops


@exact_kernel
def count_rises(x: np.ndarray) -> int:
    """Return how many of x float64[n] are higher than the one before them."""
    before = x[: x.size - 1]
    after = x[1:]
    rises = 0
    for i in range(after.size):
        rises += after[i] > before[i]
    return rises


@exact_kernel
def any_reset(x: np.ndarray, height: float) -> bool:
    """Return whether any drop in x is a reset: measured against `height`, or where that is 0 against the drop's own."""
    for i in range(1, x.size):
        if x[i] < x[i - 1] and falls_to_nothing(height if height > 0.0 else x[i - 1] - x[i], x[i]):
            return True
    return False


@exact_kernel
def is_counter(x: np.ndarray, skyline: int, scratch: np.ndarray) -> bool:
    """Return whether x float64[n], finite, is a counter's window; skyline: the profile's switch. scratch float64[>= 2]."""
    never_inline()
    n = x.size
    if n < POINTS:
        return False
    limit = most_drops(n)
    drops = count_drops(x, limit)
    if drops > limit:
        return False
    rises = count_rises(x)
    if rises < least_rises(skyline) or drops * RISES_PER_DROP > rises or has_negatives(x):
        return False
    if drops == 0:
        return True
    height = 0.0
    if skyline != 0:
        low, high = bounds(x, scratch)
        height = high - low
    return any_reset(x, height)
