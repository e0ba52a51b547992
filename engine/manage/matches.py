"""Every pattern that decides about lists, asked about the whole fleet in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.matching import Patterns


class Matches:
    """Which of `names` each of the patterns matches. Raises InputError for what is no pattern."""

    def __init__(self, patterns: Iterable[str], names: Sequence[str]) -> None:
        texts = tuple(dict.fromkeys(patterns))
        self._size = len(names)
        self._found = dict(zip(texts, Patterns(texts).matched(names), strict=True))

    def any(self, patterns: Iterable[str]) -> NDArray[np.bool_]:
        """Whether any of these patterns matches each name, bool[n]."""
        found = np.zeros(self._size, np.bool_)
        for text in patterns:
            found[self._found[text]] = True
        return found

    def first(self, patterns: Sequence[str]) -> NDArray[np.int64]:
        """The first of these patterns that matches each name, int64[n]; -1 where none does."""
        return self._told(reversed(list(enumerate(patterns))))

    def last(self, patterns: Sequence[str]) -> NDArray[np.int64]:
        """The last of these patterns that matches each name, int64[n]; -1 where none does."""
        return self._told(enumerate(patterns))

    def _told(self, places: Iterable[tuple[int, str]]) -> NDArray[np.int64]:
        """The place that is told last of all that match each name."""
        found = np.full(self._size, -1, np.int64)
        for at, text in places:
            found[self._found[text]] = at
        return found
