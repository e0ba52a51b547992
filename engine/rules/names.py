r"""Many names as one text, and which of them hold which of many needles.

The text is a line break and `.NAME.` per name, in UTF-8, so that an element of a name is the needle `.ELEMENT.`, and a
beginning the needle `\n.BEGINNING`. A needle is looked for by its rarest three bytes: one pass over the text says where
those of all needles are, and only there are needles compared. One that is in many names, or is shorter, is looked for
name by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[np.uint16]
Bytes = NDArray[np.uint8]
GRAM: Final = 3  # bytes
CODES: Final = 1 << 16
AT_ONCE: Final = 1 << 20  # candidates compared at a time: some arrays of eight bytes each
BREAK: Final = ord("\n")
EDGES: Final = 2  # characters, and bytes, before a name; behind it there is one


class Needles:
    """Texts to look for, each once per kind and none empty: within a name, at its beginning, as one of its elements."""

    def __init__(self, within: Sequence[str], beginnings: Sequence[str], elements: Sequence[str]) -> None:
        marked = (*(f"\n.{text}" for text in beginnings), *(f".{text}." for text in elements))
        self.texts = (*within, *marked)
        self.within = len(within)
        self.proper = len(within) + len(beginnings)  # so many must end within the name
        encoded = [_encoded(needle) for needle in self.texts]
        self.sizes: Ints = np.array([len(needle) for needle in encoded], np.int64)
        self.starts: Ints = np.cumsum(self.sizes) - self.sizes
        self.text: Bytes = np.frombuffer(b"".join(encoded) + b"\0" * GRAM, np.uint8)
        self._codes = _codes(self.text)

    def rarest(self, counts: Ints) -> tuple[Ints, Codes]:
        """Return per needle where those of its bytes stand that come least often, and their code."""
        owner = np.repeat(np.arange(len(self.texts)), self.sizes)
        at = np.arange(len(owner)) - self.starts[owner]
        whole = np.flatnonzero((at + GRAM <= self.sizes[owner]) | (at == 0))
        order = whole[np.lexsort((counts[self._codes[whole]], owner[whole]))]
        best = order[np.diff(owner[order], prepend=-1) > 0]
        return at[best], self._codes[best]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places where a needle may be: `which` needle, and `start` in the text, both int64[n]."""

    which: Ints
    start: Ints

    def where(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return some of them."""
        return Candidates(self.which[kept], self.start[kept])


class Names:
    """Names without line breaks, ready to be searched."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = [f"\n.{name}." for name in names]

    def holding(self, needles: Needles) -> list[Ints]:
        """Return per needle the positions of the names that hold it, ascending."""
        room = b"\0" * int(needles.sizes.max(initial=GRAM))
        text = np.frombuffer(_encoded("".join(self._names)) + b"\n" + room, np.uint8)
        codes = _codes(text)
        counts = np.bincount(codes, minlength=CODES)
        offsets, rarest = needles.rarest(counts)
        often = (needles.sizes < GRAM) | (counts[rarest] > len(self._names) // 2)
        breaks = np.flatnonzero(text == BREAK)
        seldom = np.flatnonzero(~often)
        pairs = [np.empty(0, np.int64)]
        for found in _candidates(codes, counts, seldom, rarest[seldom], offsets[seldom]):
            equal = _bounded(needles, _equal(needles, text, found), breaks)
            name = np.searchsorted(breaks, equal.start, side="right") - 1
            pairs.append(equal.which * len(self._names) + name)
        keys = np.concatenate(pairs)
        which, name = np.divmod(keys[np.diff(keys, prepend=-1) > 0], max(len(self._names), 1))
        bounds = np.searchsorted(which, np.arange(len(often) + 1))
        return [
            self._one_by_one(needles, at) if often[at] else name[bounds[at] : bounds[at + 1]]
            for at in range(len(needles.texts))
        ]

    def _one_by_one(self, needles: Needles, which: int) -> Ints:
        needle = needles.texts[which]
        found = [at for at, name in enumerate(self._names) if needle in name]
        if which < needles.proper:
            start = EDGES if which < needles.within else 0
            found = [at for at in found if needle in self._names[at][start:-1]]
        return np.array(found, np.int64)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _codes(text: Bytes) -> Codes:
    """Return uint16[n - 2]: a code of the three bytes from each place on; different ones may share it."""
    first, second, third = (text[at : len(text) - GRAM + 1 + at].astype(np.uint16) for at in range(GRAM))
    mixed: Codes = first * np.uint16(31) ^ (second << np.uint16(5)) + second ^ (third << np.uint16(9)) + third
    return mixed


def _candidates(codes: Codes, counts: Ints, seldom: Ints, rarest: Codes, offsets: Ints) -> Iterator[Candidates]:
    """Yield where each of the `seldom` needles may begin, in their order and from left to right, so many at a time."""
    wanted = np.zeros(CODES, np.bool_)
    wanted[rarest] = True
    places = np.flatnonzero(wanted[codes])
    places = places[np.argsort(codes[places], kind="stable")]
    first = np.searchsorted(codes[places], rarest)
    number = counts[rarest]
    ends = np.cumsum(number)
    for low in range(0, int(number.sum()), AT_ONCE):
        pair = np.arange(low, min(low + AT_ONCE, int(ends[-1])))
        at = np.searchsorted(ends, pair, side="right")
        yield Candidates(seldom[at], places[first[at] + pair - (ends[at] - number[at])] - offsets[at])


def _equal(needles: Needles, text: Bytes, found: Candidates) -> Candidates:
    """Return the candidates whose bytes are the needle's own."""
    equal = found.start >= 0
    left = np.flatnonzero(equal)
    sizes, own = needles.sizes[found.which], needles.starts[found.which]
    for at in range(int(sizes.max(initial=0))):
        left = left[sizes[left] > at]
        same = text[found.start[left] + at] == needles.text[own[left] + at]
        equal[left[~same]] = False
        left = left[same]
    return found.where(equal)


def _bounded(needles: Needles, found: Candidates, breaks: Ints) -> Candidates:
    """Return the candidates that touch no marks around a name but those of their own kind."""
    name = np.searchsorted(breaks, found.start, side="right") - 1
    end = found.start + needles.sizes[found.which]
    begun = (found.start >= breaks[name] + EDGES) | (found.which >= needles.within)
    return found.where(begun & ((end < breaks[name + 1]) | (found.which >= needles.proper)))
