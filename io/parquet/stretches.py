"""What to read in one go: small row groups together, large ones in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.footer import Group

LARGEST_BATCH: Final = 256 << 20  # bytes, uncompressed, as declared


@dataclass(frozen=True, slots=True)
class Stretch:
    """Row groups of one file to read in one go, `size` rows at a time; `row` is the place of the first row."""

    file: DataFile
    groups: tuple[Group, ...]
    row: int
    size: int

    @property
    def rows(self) -> int:
        """Rows declared."""
        return sum(group.rows for group in self.groups)

    @property
    def end(self) -> int:
        """The place behind the last row."""
        return self.row + self.rows

    @property
    def longest(self) -> int:
        """Points that some row must have, at least."""
        return max(group.chunks["timestamp"].values // group.rows for group in self.groups)

    def too_long(self, limit: int) -> str:
        """The sentence for rows of more points than fit into memory."""
        return (
            f"{self.file.path}: row group {self.groups[0].number} has lists of {self.longest:,} points, "
            f"more than the memory limit allows ({limit:,}); raise it, or write one point per row"
        )

    def apart(self) -> Iterator[Stretch]:
        """Its row groups, each by itself."""
        row = self.row
        for group in self.groups:
            yield replace(self, groups=(group,), row=row)
            row += group.rows


def stretches(files: Sequence[DataFile], batch: int, *, lists: bool) -> Iterator[Stretch]:
    """All rows of the files, in stretches of at most `batch` points, but of one row group at least."""
    row = 0
    for file in files:
        groups: list[Group] = []
        points = 0
        for group in file.groups:
            more = points_in(group, lists=lists)
            if groups and points + more > batch:
                yield (stretch := _stretch(file, groups, row, batch, points))
                groups, points, row = [], 0, stretch.end
            groups.append(group)
            points += more
        if groups:
            yield (stretch := _stretch(file, groups, row, batch, points))
            row = stretch.end


def points_in(group: Group, *, lists: bool) -> int:
    """Points of a row group."""
    return max(group.chunks[name].values for name in ("timestamp", "value")) if lists else group.rows


def _stretch(file: DataFile, groups: Sequence[Group], row: int, batch: int, points: int) -> Stretch:
    """A stretch to be read about `batch` points at a time, fewer where the footer declares that they are large."""
    rows, size = sum(group.rows for group in groups), sum(group.size for group in groups)
    at_once = min(rows * batch // max(points, 1), rows * LARGEST_BATCH // max(size, 1))
    return Stretch(file, tuple(groups), row, max(1, at_once))
