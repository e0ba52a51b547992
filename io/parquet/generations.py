"""Files of an archive that take one another's place, so that readers and whoever tidies up need not wait for each other.

In a folder day=YYYY-MM-DD, FIRST-LAST.parquet (twelve digits each) holds all that the files FIRST to LAST held. From the
moment it is there, those are no longer read; they are then renamed to `.NAME`, for readers that already listed them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath
from typing import Final, NamedTuple, TypeVar

T = TypeVar("T")

DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")  # folders day=2024-01-31 cut a dataset by time, not by series
_FOLDER: Final = re.compile(rf"day={DAY.pattern}")
_NAME: Final = re.compile(r"(\d{12})(?:-(\d{12}))?\.parquet", re.ASCII)


class Generation(NamedTuple):
    """The numbers of the writes that a file holds, ends included."""

    first: int
    last: int

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.first:012d}.parquet"

    @property
    def compact(self) -> str:
        """The name of a file that takes the place of several, or of one that was not in order."""
        return f"{self.first:012d}-{self.last:012d}.parquet"

    def covers(self, other: Generation) -> bool:
        """Whether it holds all that the other holds."""
        return self.first <= other.first and other.last <= self.last


def generation_of(name: str) -> Generation | None:
    """What the name of a file says; None where it is no archive's."""
    found = _NAME.fullmatch(name)
    return None if found is None else Generation(int(found[1]), int(found[2] or found[1]))


def current(names: Iterable[str]) -> list[str]:
    """The names of one folder's files without those whose place another has taken."""
    known = [(name, generation_of(name)) for name in names]
    wide = [(name, own) for name, own in known if own is not None and "-" in name]
    return [name for name, own in known if own is None or not _is_superseded(name, own, wide)]


def current_paths(paths: Sequence[str]) -> list[str]:
    """The same for paths, in folders of days only."""
    by_folder: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        folder, _, name = path.rpartition("/")
        if _FOLDER.fullmatch(folder.rpartition("/")[2]):
            by_folder[folder].append(name)
    kept = {f"{folder}/{name}" for folder, names in by_folder.items() for name in current(names)}
    return [path for path in paths if path.rpartition("/")[0] not in by_folder or path in kept]


def retired(path: str) -> str | None:
    """Where a file of an archive is once another has taken its place; None for any other file."""
    place = PurePath(path)
    return None if generation_of(place.name) is None else str(place.with_name(f".{place.name}"))


def followed(path: str, use: Callable[[str], T]) -> T:
    """What `use` makes of a path, or of where its file has been retired to since it was listed."""
    try:
        return use(path)
    except FileNotFoundError:
        place = retired(path)
        if place is None:
            raise
        return use(place)


def _is_superseded(name: str, own: Generation, wide: Sequence[tuple[str, Generation]]) -> bool:
    return any(other.covers(own) and (other != own or "-" not in name) for _, other in wide)
