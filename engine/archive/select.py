"""Which points of many series are new: looked for by bisection in all of them at once, so that old ones cost nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
STAMP_BITS = 34  # of a timestamp in a key of series and timestamp together


def behind(stamps: Ints, begins: Ints, ends: Ints, when: Ints) -> Ints:
    """For each stretch of ascending `stamps`, the place behind its last point at or before `when`.

    `begins`, `ends`, `when` int64 of one shape; so is what is returned.
    """
    low, high = begins.copy(), ends.copy()
    if not low.size or not len(stamps):
        return low
    for _ in range(int((high - low).max()).bit_length()):
        middle = (low + high) >> 1
        open_ = low < high
        earlier = open_ & (stamps[np.minimum(middle, len(stamps) - 1)] <= when)
        low = np.where(earlier, middle + 1, low)
        high = np.where(open_ & ~earlier, middle, high)
    return low


def counts_between(stamps: Ints, begins: Ints, ends: Ints, edges: Ints) -> Ints:
    """int64[rows, edges - 1]: the points of each stretch from each edge on, up to the next one without it."""
    shape = (len(edges), len(begins))
    places = behind(
        stamps,
        np.broadcast_to(begins, shape),
        np.broadcast_to(ends, shape),
        np.broadcast_to(edges[:, None] - 1, shape),
    )
    return np.diff(places, axis=0).T


def unknown(owners: Ints, stamps: Ints, known_owners: Ints, known_stamps: Ints) -> NDArray[np.bool_]:
    """Which points, each of a series and a timestamp, are none of the known ones."""
    known = np.sort((known_owners << STAMP_BITS) | known_stamps)
    if not len(known):
        return np.ones(len(stamps), np.bool_)
    keys = (owners << STAMP_BITS) | stamps
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] != keys
    return found
