"""The few points that a line through very many of them consists of, as far as pixels can tell."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.ordered import distinct, median

GAP: Final = 10  # times the median step: a line across a longer silence would claim what nobody measured


def envelope(timestamps: NDArray[np.int64], values: NDArray[np.float64], columns: int) -> NDArray[np.intp]:
    """Positions, rising, of the first, last, lowest and highest point within each of `columns` equal spans of time.

    A line through these colours the same pixels as one through all. At most 4 a column; all where there are no more.
    """
    count = len(timestamps)
    if count <= 4 * columns:
        return np.arange(count)
    span = int(timestamps[-1]) - int(timestamps[0]) + 1
    column = (timestamps - timestamps[0]) * columns // span
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(starts[1:], count) - 1
    by_value = np.lexsort((values, column))  # each column's points still lie between its start and its end
    return distinct(np.concatenate((starts, ends, by_value[starts], by_value[ends])))


def gaps(timestamps: NDArray[np.int64], kept: NDArray[np.intp]) -> NDArray[np.intp]:
    """Positions in `kept` before which the line breaks, because nothing came for ten times the median step."""
    steps = np.diff(timestamps)
    if not len(steps):
        return np.empty(0, np.intp)
    long = np.diff(timestamps[kept]) > GAP * max(median(steps), 1.0)
    return np.flatnonzero(long & (np.diff(kept) == 1)) + 1
