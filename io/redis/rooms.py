"""Columns of points that are filled again once nobody looks at them: fresh memory costs as much as decoding into it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Columns = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Timestamps, and the bits of values."""


def _references(pair: Columns) -> int:
    return max(sys.getrefcount(pair[0]), sys.getrefcount(pair[1]))


# Those to the columns of a pair that nobody else has: how many who counts adds is Python's business.
_OURS: Final = _references((np.empty(0, np.int64), np.empty(0, np.int64)))


@dataclass(slots=True)
class Rooms:
    """Pairs of columns, as many as are in use at once; those used last come first."""

    _known: list[Columns] = field(default_factory=list)

    def take(self, points: int) -> Columns:
        """A pair of so many points each: one that nobody refers to any more, not even through a view of a part, or a fresh one."""
        free = (place for place, pair in enumerate(self._known) if len(pair[0]) == points and _is_free(pair))
        place = next(free, None)
        pair = fresh(points) if place is None else self._known.pop(place)
        self._known.insert(0, pair)
        timestamps, bits = pair  # ours is a pair that nobody else has
        return timestamps, bits


def fresh(points: int) -> Columns:
    """A pair of columns in memory of its own."""
    return np.empty(points, np.int64), np.empty(points, np.int64)


def _is_free(pair: Columns) -> bool:
    return _references(pair) <= _OURS
