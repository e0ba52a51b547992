"""One row: its check, its closed gaps, and the steps that are no gaps whichever step is the usual one."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.gap_rows.layout import GAP_WORDS, GAPS, LENGTH_BITS, ROOM
from ridgeline.kernels.gaps.walk import longest_allowed
from ridgeline.kernels.memory.seal import mix

_BREAK: Final = 600  # seconds: from such steps on a shorter share of them is allowed


@exact_kernel
def check_of(w: np.ndarray) -> int:
    """Return the check of a row w int64[GAP_WORDS]; never 0."""
    total = 0
    for i in range(1, GAP_WORDS):
        total += mix(w[i], i)
    return total if total != 0 else 1


@exact_kernel
def first_of(gap: int) -> int:
    """Return the first second of a packed gap."""
    return gap >> LENGTH_BITS


@exact_kernel
def end_of(gap: int) -> int:
    """Return the last second of a packed gap."""
    return first_of(gap) + (gap & ((1 << LENGTH_BITS) - 1))


@exact_kernel
def keep_gap(w: np.ndarray, first: int, end: int) -> bool:
    """Add a closed gap to those of the row w int64[GAP_WORDS]; return whether there is room for it."""
    if not 0 <= end - first < 1 << LENGTH_BITS:
        return False
    for i in range(GAPS, GAPS + ROOM):
        if w[i] == 0:
            w[i] = (first << LENGTH_BITS) | (end - first)
            return True
    return False


@exact_kernel
def forget_gaps(w: np.ndarray, edge: int) -> None:
    """Drop the gaps that end before `edge`: no step between points from there on is part of one."""
    kept = GAPS
    for i in range(GAPS, GAPS + ROOM):
        gap = w[i]
        w[i] = 0
        if gap != 0 and end_of(gap) + 1 >= edge:
            w[kept] = gap
            kept += 1


@exact_kernel
def least_allowed(shortest: int, longest: int) -> int:
    """Return the fewest seconds that a usual step from `shortest` to `longest` allows between neighbours."""
    least = longest_allowed(shortest)
    return min(least, longest_allowed(_BREAK)) if shortest < _BREAK <= longest else least


@exact_kernel
def most_allowed(shortest: int, longest: int) -> int:
    """Return the most that such a step allows."""
    most = longest_allowed(longest)
    return max(most, longest_allowed(_BREAK - 1)) if shortest < _BREAK <= longest else most
