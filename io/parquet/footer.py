"""What a Parquet file declares of itself: rows, sizes and bounds of its row groups, judged before a row is read.

Read by ourselves, because the accessors of column metadata in Arrow's Python end the process over damaged bytes.
Field numbers are those of parquet.thrift. All is as declared: a file may hold less, never more, than is read for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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


def renamed(footer: Footer, called: Mapping[str, str]) -> Footer:
    """The same footer, its columns by the names that they are called by."""
    leaves = (leaf._replace(name=called.get(name, name)) for name, leaf in footer.leaves.items())
    groups = (
        group._replace(chunks={called.get(name, name): chunk for name, chunk in group.chunks.items()})
        for group in footer.groups
    )
    return Footer({leaf.name: leaf for leaf in leaves}, tuple(groups))


def _leaves(elements: list[dict[int, Any]]) -> Iterator[Leaf]:
    """The leaves of a schema, which is stored as the nodes of a tree, depth first."""
    waiting = [_get(elements[0], 5, int, 0)]  # children still to come, by depth
    top = ""
    for element in elements[1:]:
        while waiting and not waiting[-1]:
            waiting.pop()
        waiting[-1] -= 1
        top = _get(element, 4, bytes).decode() if len(waiting) == 1 else top
        children = _get(element, 5, int, 0)
        if children:
            waiting.append(children)
            continue
        logical, converted = _get(element, 10, dict, {}), _get(element, 6, int, -1)
        ticks = UNITS[next(iter(logical[8][2]))] if 8 in logical else CONVERTED.get(converted)
        signed = _get(logical[10], 2, bool) if 10 in logical else converted not in UNSIGNED
        yield Leaf(top, _get(element, 1, int), ticks, signed)


def _group(number: int, fields: dict[int, Any], leaves: Sequence[Leaf], file_size: int) -> Group:
    """One row group, its numbers held against one another and against the size of the file."""
    columns, rows, size = _get(fields, 1, list), _get(fields, 3, int), max(_get(fields, 2, int), 0)
    if rows < 0 or len(columns) != len(leaves):
        raise ValueError(f"its footer is damaged: row group {number} has {rows} rows, {len(columns)} columns")
    chunks: dict[str, Chunk] = {}
    for leaf, column in zip(leaves, columns, strict=True):
        data = _get(column, 3, dict)
        values, length, first = _get(data, 5, int), _get(data, 7, int), _get(data, 9, int)
        start = min(first, _get(data, 11, int, 0) or first)
        inside = start >= len(MAGIC) and length >= 0 and start + length <= file_size
        if values < 0 or (rows and not inside):
            raise ValueError(f"its footer is damaged: column {leaf.name} of row group {number} lies outside the file")
        bounds = _get(data, 12, dict, {})
        low, high = (_get(bounds, new, bytes, None) or _get(bounds, old, bytes, None) for new, old in ((6, 2), (5, 1)))
        chunk = Chunk(values, _get(bounds, 3, int, None), low, high)
        before = chunks.get(leaf.name)
        chunks[leaf.name] = chunk if before is None or values > before.values else before
        size = max(size, _get(data, 6, int))
    return Group(number, rows, size, chunks)


def _get(fields: dict[int, Any], number: int, kind: type, default: Any = ...) -> Any:
    """A field of a struct. Raises KeyError where it is absent and has no default, TypeError where it is of another type."""
    value = fields.get(number, default)
    if value is ...:
        raise KeyError(number)
    if value is not default and type(value) is not kind:
        raise TypeError(kind)
    return value
