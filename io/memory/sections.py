"""What a file of memory consists of, and where each part lies.

header | two slots | offsets, hashes and bytes of keys | columns | one section after another, a row of it for each key
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ALIGNMENT: Final = 1 << 16  # bytes: a multiple of every page size, as mapping wants it
HEADER_BYTES: Final = 1 << 16
SLOT_BYTES: Final = 1 << 16
SLOTS: Final = 2


@dataclass(frozen=True, slots=True)
class Section:
    """`row_bytes` of each row, opaque here; rows never written are zeros, which is to mean that nothing is known.

    row_bytes  a multiple of eight
    version    text that changes with the meaning of these bytes: a section of another is dropped, the others stay
    private    read into memory of our own at opening, and written back where it was changed; else mapped, read-only, and
               rows are `put`
    exact      all its rows are of one commit, whatever ends that (`redo`). One that is not private is mapped to be worked
               on: pages that are changed become our own, and rows are written that were said to be `touch`ed
    stripes    how often each key has a row: stripe after stripe, the rows of all keys in each
    """

    name: str
    version: str
    row_bytes: int
    private: bool
    exact: bool = False
    stripes: int = 1

    @property
    def worked(self) -> bool:
        """Whether it is mapped to be worked on."""
        return self.exact and not self.private

    @property
    def key_bytes(self) -> int:
        """The bytes of each key."""
        return self.stripes * self.row_bytes


@dataclass(frozen=True, slots=True)
class Column:
    """A number of each row that the file itself knows about, checked as a whole.

    nothing  that of new rows, and of all rows where the column is damaged
    """

    name: str
    dtype: str
    bytes: int
    nothing: int


GONE: Final = Column("gone", "<i8", 8, 0)
ASSIGNMENT: Final = Column("assignment", "<i4", 4, -1)
COLUMNS: Final = (GONE, ASSIGNMENT)


@dataclass(frozen=True, slots=True)
class Places:
    """Where each part begins, in bytes, for so many rows (`capacity`) and bytes of keys (`room`)."""

    offsets: int
    hashes: int
    data: int
    parts: dict[str, int]
    size: int


def lay_out(capacity: int, room: int, sections: Sequence[Section]) -> Places:
    """Where everything lies: it follows from these sizes alone."""
    at = HEADER_BYTES + _aligned(SLOTS * SLOT_BYTES)
    offsets = at
    at += _aligned(8 * (capacity + 1))
    hashed = at
    at += _aligned(8 * capacity)
    data = at
    at += _aligned(room)
    parts: dict[str, int] = {}
    for name, row_bytes in (*((c.name, c.bytes) for c in COLUMNS), *((s.name, s.key_bytes) for s in sections)):
        parts[name] = at
        at += _aligned(capacity * row_bytes)
    return Places(offsets, hashed, data, parts, at)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
