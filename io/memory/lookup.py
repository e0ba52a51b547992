"""Finds the rows of keys without an object for each of them: by sorted hashes, then byte by byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.hashing import Words, hashes, same
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.roster import Roster


class Lookup:
    """The rows of those who have one."""

    def __init__(self, roster: Roster) -> None:
        self._words = Words(roster.keys)
        self._order = np.argsort(roster.hashed)
        self._sorted = roster.hashed[self._order]

    def rows_of(self, asked: Keys) -> NDArray[np.int64]:
        """The row of each key asked for, int64[m]; -1 where there is none."""
        wanted, words = hashes(asked), Words(asked)
        found = np.full(len(asked), -1, np.int64)
        order = np.argsort(wanted)  # neighbours are looked for one after another
        places = np.empty(len(asked), np.int64)
        places[order] = np.searchsorted(self._sorted, wanted[order])
        left = np.flatnonzero(places < len(self._sorted))
        while len(left := left[self._sorted[places[left]] == wanted[left]]):
            rows = self._order[places[left]]
            hit = same(self._words, rows, words, left)
            found[left[hit]] = rows[hit]
            left = left[~hit]  # another key of one hash: the next may be it
            places[left] += 1
            left = left[places[left] < len(self._sorted)]
        return found
