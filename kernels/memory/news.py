"""New points of tails, handed on to whoever walks them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.memory.pairs import Pairs


class News(NamedTuple):
    """Room for the new points of the rows that are asked for, one row after another."""

    asked: np.ndarray  # uint8[n], by row of the memory; empty: none is
    t: np.ndarray  # int64: timestamps, epoch seconds
    bits: np.ndarray  # int64: the bits of their values
    handed: np.ndarray  # int64[1]: how many there are so far


@exact_kernel
def hand_on(pairs: Pairs, first: int, stop: int, news: News) -> bool:
    """Hand on the points first..stop of a tail; return False, and hand on none, where there is no room."""
    at = news.handed[0]
    if stop - first > news.t.size - at:
        return False
    for i in range(first, stop):
        news.t[at] = pairs.t[i]
        news.bits[at] = pairs.bits[i]
        at += 1
    news.handed[0] = at
    return True
