"""Numbers of a walk's state: read, kept, averaged.

State comes from + - * / sqrt and comparisons alone, compiled without fast-math: the same bits on every CPU.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import always_inline, exact_kernel
from ridgeline.kernels.walks.layout import CEILING

LARGEST: Final = 1e37  # no value is walked beyond it, so that neither sums nor float32 overflow
SMALLEST: Final = 1e-37  # what is nearer to 0 is kept as 0: no denormal numbers
NOTHING: Final = 1e-300
MOST: Final = 100_000.0  # steps beyond which none is counted: from there on everything fades with this span


@exact_kernel
def read(row: np.ndarray, place: int) -> float:
    """Return what stands in float32[...] `row`, to be computed with as float64."""
    always_inline()
    return np.float64(row[place])


@exact_kernel
def keep(row: np.ndarray, place: int, value: float) -> None:
    """Write `value` into float32[...] `row`, rounded, 0 where it is next to nothing."""
    always_inline()
    row[place] = np.float32(value if abs(value) >= SMALLEST else 0.0)


@exact_kernel
def kept(value: float) -> float:
    """Return a float64 of the state: `value`, 0 where it is next to nothing."""
    always_inline()
    return value if abs(value) >= NOTHING else 0.0


@exact_kernel
def weight(steps: float, span: float) -> float:
    """Return max(2 / (span + 1), 1 / steps): of the newest of `steps` values in a mean that forgets with `span`."""
    always_inline()
    most = span + 1.0
    return 2.0 / most if 2.0 * steps >= most else 1.0 / steps  # one division, of constants none


@exact_kernel
def counted(steps: float) -> float:
    """Return the number of steps with one more."""
    always_inline()
    return min(steps + 1.0, MOST)


@exact_kernel
def spread_after(sd: float, away: float, share: float) -> float:
    """Return the deviation after a value `away` from the mean so far came in with weight `share`."""
    always_inline()
    return np.sqrt((1.0 - share) * (sd * sd + share * away * away))


@exact_kernel
def fraction(size: float, limit: float) -> float:
    """Return size / limit, CEILING at most; 0 for nothing, whatever the limit."""
    always_inline()
    if size == 0.0:
        return 0.0
    if limit * CEILING <= size:
        return CEILING
    return size / limit


@exact_kernel
def push(row: np.ndarray, begin: int, size: int, value: float) -> None:
    """Let `value` into the ring row[begin : begin + size], newest last; the oldest leaves."""
    always_inline()
    for i in range(begin, begin + size - 1):
        row[i] = row[i + 1]
    keep(row, begin + size - 1, value)


@exact_kernel
def mean_of(row: np.ndarray, begin: int, size: int) -> float:
    """Return the mean of row[begin : begin + size], of a multiple of four numbers: four sums, every fourth each."""
    always_inline()
    a = b = c = d = 0.0
    for i in range(begin, begin + size, 4):
        a += np.float64(row[i])
        b += np.float64(row[i + 1])
        c += np.float64(row[i + 2])
        d += np.float64(row[i + 3])
    return ((a + b) + (c + d)) / size
