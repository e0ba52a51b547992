"""Many patterns against many names: by the texts that names must hold, and by expressions where those do not settle it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from ridgeline.engine.rules.names import Ints, Names, Needles
from ridgeline.engine.rules.pattern import Pattern

_NONE: Final[Ints] = np.empty(0, np.int64)


class Search:
    """Several patterns, ready to be asked."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self._patterns = patterns
        self._within = _numbered(text for pattern in patterns for text in (pattern.text, *pattern.literals.texts))
        self._beginnings = _numbered(map(_beginning, patterns), len(self._within))
        elements = (element for pattern in patterns for element in pattern.elements)
        self._elements = _numbered(elements, len(self._within) + len(self._beginnings), empty=True)
        self._needles = Needles(list(self._within), list(self._beginnings), list(self._elements))

    def matched(self, names: Sequence[str]) -> list[Ints]:
        """Return per pattern the positions of the names that it matches, ascending."""
        # Names with line breaks are as rare as they are odd: the dot of an expression stops at them.
        odd = [at for at, name in enumerate(names) if "\n" in name]
        if not odd:
            return self._ordinary(names)
        usual = np.delete(np.arange(len(names)), odd)
        found = self._ordinary([names[at] for at in usual.tolist()])
        return [
            np.sort(np.concatenate([usual[some], [at for at in odd if pattern.matches(names[at])]])).astype(np.int64)
            for pattern, some in zip(self._patterns, found, strict=True)
        ]

    def _ordinary(self, names: Sequence[str]) -> list[Ints]:
        held = Names(names).holding(self._needles)
        return [self._asked(pattern, names, held) for pattern in self._patterns]

    def _asked(self, pattern: Pattern, names: Sequence[str], held: list[Ints]) -> Ints:
        """Return the positions of the names without line breaks that one pattern matches."""
        if not pattern.text:
            return np.arange(len(names))
        found = np.zeros(len(names), np.bool_)
        found[_get(held, self._within, pattern.text)] = True
        if pattern.elements:
            found[_in_all([_get(held, self._elements, element) for element in pattern.elements])] = True
        wanted = pattern.literals
        if wanted.prefix == pattern.text:
            return np.flatnonzero(found)
        texts = [_get(held, self._within, text) for text in wanted.texts]
        if wanted.prefix:
            texts.append(_get(held, self._beginnings, wanted.prefix))
        left = _in_all(texts) if texts else np.arange(len(names))
        left = left[~found[left]]
        if not wanted.enough:
            matches = pattern.expression.matches
            left = left[np.array([matches(names[at]) for at in left.tolist()], np.bool_)]
        found[left] = True
        return np.flatnonzero(found)


def _beginning(pattern: Pattern) -> str:
    """How names must begin for the expression to match; empty where that is of no use."""
    return "" if pattern.literals.prefix == pattern.text else pattern.literals.prefix


def _numbered(texts: Iterable[str], start: int = 0, *, empty: bool = False) -> dict[str, int]:
    """Number the texts, each once. One with a line break is in none of the names that are searched."""
    usable = dict.fromkeys(text for text in texts if (text or empty) and "\n" not in text)
    return {text: start + at for at, text in enumerate(usable)}


def _get(held: list[Ints], numbers: dict[str, int], text: str) -> Ints:
    return held[numbers[text]] if text in numbers else _NONE


def _in_all(lists: list[Ints]) -> Ints:
    """Return what is in each of some ascending lists."""
    first, *others = sorted(lists, key=len)
    for other in others:
        if not len(first):
            break
        at = np.minimum(np.searchsorted(other, first), len(other) - 1)
        first = first[other[at] == first]
    return first
