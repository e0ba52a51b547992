"""What a Parquet file declares of itself: rows, sizes and bounds of its row groups, judged before a row is read.

Read by ourselves, because the accessors of column metadata in Arrow's Python end the process over damaged bytes.
Field numbers are those of parquet.thrift. All is as declared: a file may hold less, never more, than is read for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from ridgeline.io.parquet.thrift import Compact

MAGIC: Final = b"PAR1"
TAIL: Final = 8  # the last bytes of a file: the length of the footer (4 bytes) and the magic
UNITS: Final = {1: 1_000, 2: 1_000_000, 3: 1_000_000_000}  # ticks per second by TimeUnit
CONVERTED: Final = {9: 1_000, 10: 1_000_000}  # ticks per second by ConvertedType
UNSIGNED: Final = range(11, 15)  # ConvertedType UINT_8 .. UINT_64


class Chunk(NamedTuple):
    """One column of a row group: number of values (list items, nulls included), nulls, and bounds as they are stored."""

    values: int
    nulls: int | None
    low: bytes | None
    high: bytes | None


class Group(NamedTuple):
    """One row group: its place, rows, uncompressed bytes of all columns, and its columns by top-level name."""

    number: int
    rows: int
    size: int
    chunks: dict[str, Chunk]


class Leaf(NamedTuple):
    """A column of primitive values: its top-level name, physical type, ticks per second if declared, signedness."""

    name: str
    physical: int
    ticks: int | None
    signed: bool


class Footer(NamedTuple):
    """The leaves and row groups of a file."""

    leaves: dict[str, Leaf]
    groups: tuple[Group, ...]


def footer_of(data: bytes, file_size: int) -> Footer:
    """Read a footer. Raises ValueError with what is wrong with it."""
    rows = -1
    leaves: list[Leaf] = []
    groups: list[Group] = []
    cursor = Compact(data)
    try:
        for number, kind in cursor.fields():
            if number == 2:
                leaves = list(_leaves(cursor.value(kind)))
            elif number == 4:
                length, _ = cursor.items()
                groups = [_group(i, cursor.struct(), leaves, file_size) for i in range(length)]
            else:
                found = cursor.value(kind)
                rows = found if number == 3 else rows
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError("its footer is damaged") from error
    if rows != sum(group.rows for group in groups):
        raise ValueError(f"its footer is damaged: {rows} rows in all, but not in its row groups")
    return Footer({leaf.name: leaf for leaf in reversed(leaves)}, tuple(group for group in groups if group.rows))


def _leaves(elements: list[dict[int, Any]]) -> Iterator[Leaf]:
    """The leaves of a schema, which is stored as the nodes of a tree, depth first."""
    waiting = [elements[0].get(5, 0)]  # children still to come, by depth
    top = ""
    for element in elements[1:]:
        while waiting and not waiting[-1]:
            waiting.pop()
        waiting[-1] -= 1
        top = element[4].decode() if len(waiting) == 1 else top
        if element.get(5, 0):
            waiting.append(element[5])
            continue
        logical = element.get(10, {})
        ticks = UNITS[next(iter(logical[8][2]))] if 8 in logical else CONVERTED.get(element.get(6, -1))
        signed = logical[10][2] if 10 in logical else element.get(6) not in UNSIGNED
        yield Leaf(top, element[1], ticks, signed)


def _group(index: int, fields: dict[int, Any], leaves: Sequence[Leaf], file_size: int) -> Group:
    """One row group, its numbers held against one another and against the size of the file."""
    rows, size = fields[3], max(fields[2], 0)
    if rows < 0 or len(fields[1]) != len(leaves):
        raise ValueError(f"its footer is damaged: row group {index} has {rows} rows, {len(fields[1])} columns")
    chunks: dict[str, Chunk] = {}
    for leaf, column in zip(leaves, fields[1], strict=True):
        data = column[3]
        start = min(data[9], data.get(11) or data[9])
        inside = start >= len(MAGIC) and data[7] >= 0 and start + data[7] <= file_size
        if data[5] < 0 or (rows and not inside):
            raise ValueError(f"its footer is damaged: column {leaf.name} of row group {index} lies outside the file")
        bounds = data.get(12, {})
        chunk = Chunk(data[5], bounds.get(3), bounds.get(6, bounds.get(2)), bounds.get(5, bounds.get(1)))
        before = chunks.get(leaf.name)
        chunks[leaf.name] = chunk if before is None or chunk.values > before.values else before
        size = max(size, data[6])
    return Group(index, rows, size, chunks)
