"""Keys as words of eight bytes: their hashes, and whether two are the same, for all of them at once."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.keys import Keys

WORD: Final = 8
MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)  # odd: the golden ratio's
FINISHER: Final = np.uint64(0xD6E8FEB86659FD93)  # odd
HALF: Final = np.uint64(32)
_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)


def hashes(keys: Keys) -> NDArray[np.uint64]:
    """A hash of each key, uint64[n].

    h = length; for each word of eight bytes, little-endian, the last one filled up with zeros: h = (h ^ word) MULTIPLIER,
    h ^= h >> 32; at the end h = h FINISHER, h ^= h >> 32.
    """
    words = Words(keys)
    found = words.lengths.astype(np.uint64)
    rows, at = np.arange(len(keys)), 0
    while len(rows := rows[words.lengths[rows] > at]):
        mixed = (found[rows] ^ words.at(rows, at)) * MULTIPLIER
        found[rows] = mixed ^ (mixed >> HALF)
        at += WORD
    found *= FINISHER
    return found ^ (found >> HALF)


class Words:
    """The bytes of keys, read eight at a time."""

    def __init__(self, keys: Keys) -> None:
        data = keys.data if len(keys.data) >= WORD else np.concatenate([keys.data, np.zeros(WORD, np.uint8)])
        self.lengths = np.diff(keys.offsets)
        self._starts = keys.offsets[:-1]
        self._words = np.ndarray(len(data) - WORD + 1, "<u8", np.ascontiguousarray(data), strides=(1,))

    def at(self, rows: NDArray[np.int64], at: int) -> NDArray[np.uint64]:
        """The word that begins `at` bytes into the key of each of some rows, each longer than that."""
        wanted = self._starts[rows] + at
        places = np.minimum(wanted, len(self._words) - 1)  # the last bytes are read as the end of the last word
        missing = np.maximum(WORD - (self.lengths[rows] - at), 0)
        words: NDArray[np.uint64] = self._words[places]
        beyond: NDArray[np.uint64] = (WORD * (wanted - places)).astype(np.uint64)
        unused: NDArray[np.uint64] = (WORD * missing).astype(np.uint64)
        return (words >> beyond) & (_ALL >> unused)


def same(ours: Words, rows: NDArray[np.int64], theirs: Words, other_rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the key of each of some rows is that of the other row beside it, byte by byte."""
    equal: NDArray[np.bool_] = ours.lengths[rows] == theirs.lengths[other_rows]
    left, at = np.flatnonzero(equal), 0
    while len(left := left[ours.lengths[rows[left]] > at]):
        alike = ours.at(rows[left], at) == theirs.at(other_rows[left], at)
        equal[left] = alike
        left = left[alike]
        at += WORD
    return equal
