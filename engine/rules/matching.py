"""Which metrics patterns mean; the same everywhere: `--match`, `[[override]]`, `[[alert]]`, silences, lists of names.

What a pattern is, `ridgeline.engine.rules.pattern` says. Here many of them are asked about many names at once, with the
answers that each would give alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.names import Ints
from ridgeline.engine.rules.pattern import pattern_of
from ridgeline.engine.rules.search import Search

# Pairs of a pattern and a name, below which asking one by one is quicker.
FEW: Final = 10_000
# Names that are tried first when only patterns that match none are looked for.
SAMPLE: Final = 2000


def matches(pattern: str, name: str) -> bool:
    """Whether the pattern matches the base name. Raises InputError for what is no pattern."""
    return pattern_of(pattern).matches(name)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return the pattern as a predicate over base names. Raises InputError for what is no pattern."""
    return pattern_of(pattern).matches


@dataclass(frozen=True, slots=True)
class Hits:
    """Which patterns match each name: those of name i are `patterns[offsets[i]:offsets[i + 1]]`, ascending.

    `offsets` int64[names + 1], `patterns` int32.
    """

    offsets: Ints
    patterns: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, name: int) -> tuple[int, ...]:
        return tuple(self.patterns[self.offsets[name] : self.offsets[name + 1]].tolist())

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        bounds, found = self.offsets.tolist(), self.patterns.tolist()
        return (tuple(found[bounds[at] : bounds[at + 1]]) for at in range(len(self)))


class Patterns:
    """Several patterns, asked about many names. Raises InputError for what is no pattern."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.texts = tuple(patterns)
        self._patterns = [pattern_of(text) for text in self.texts]
        self._search: Search | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def matched(self, names: Sequence[str]) -> list[Ints]:
        """Return per pattern the positions of the names that it matches, ascending."""
        if len(self) * len(names) <= FEW:
            return [np.flatnonzero([pattern.matches(name) for name in names]) for pattern in self._patterns]
        if self._search is None:
            self._search = Search(self._patterns)
        return self._search.matched(names)

    def hits(self, names: Sequence[str]) -> Hits:
        """Return all patterns that match each name."""
        owners, found = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
        for at, matched in enumerate(self.matched(names)):
            owners.append(matched)
            found.append(np.full(len(matched), at, np.int32))
        owner = np.concatenate(owners)
        order = np.argsort(owner, kind="stable")
        offsets = np.searchsorted(owner[order], np.arange(len(names) + 1))
        return Hits(offsets, np.concatenate(found)[order])

    def first(self, names: Sequence[str]) -> NDArray[np.int32]:
        """Return the first pattern that matches each name, int32[n]; -1 where none does."""
        found = np.full(len(names), -1, np.int32)
        for at, matched in reversed(list(enumerate(self.matched(names)))):
            found[matched] = at
        return found

    def any(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Whether any pattern matches each name, bool[n]."""
        found = np.zeros(len(names), np.bool_)
        for matched in self.matched(names):
            found[matched] = True
        return found

    def unmatched(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the patterns that match none of the names, in their own order."""
        left = tuple(dict.fromkeys(self.texts))
        for some in (names[:SAMPLE], names[SAMPLE:]):
            if left and some:
                found = Patterns(left).matched(some)
                left = tuple(text for text, matched in zip(left, found, strict=True) if not len(matched))
        return left
