"""Where an archive's files lie: a folder for each day, and a hidden one for what only the archive itself reads."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ridgeline.io.disk.atomic import sweep_orphans, sync_folder
from ridgeline.io.disk.target import check_folder, make_folder
from ridgeline.io.errors import OutputError, UnsafeTarget
from ridgeline.io.parquet.generations import Generation, current, generation_of

DAY: Final = 86400
OWN: Final = ".ridgeline"
LOCK: Final = "lock"
MARKS: Final = "marks.arrow"
GRACE: Final = 2 * 3600  # seconds for which those who listed a file may still read it after another has taken its place
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Found:
    """What lies in the folder of one day: names of files that are read, that are superseded, and that are retired."""

    files: list[str] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    orphans: bool = False


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of an archive."""

    path: Path

    @property
    def marks(self) -> Path:
        """The file that tells how far each metric is archived."""
        return self.path / OWN / MARKS

    @property
    def lock(self) -> Path:
        """The file that whoever writes has locked."""
        return self.path / OWN / LOCK

    def day(self, day: int) -> Path:
        """The folder of a day, counted from 1970."""
        return self.path / f"day={datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}"

    def make(self) -> None:
        """Make the folder, unless it is there. Raises UnsafeTarget where it holds something else, OutputError."""
        make_folder(self.path)
        own = self.path / OWN
        try:
            taken = not own.is_dir() and not all(map(_is_ours, self.path.iterdir()))
        except OSError as error:
            raise OutputError(f"cannot look into {self.path}: {error.strerror or error}") from error
        if taken:
            raise UnsafeTarget(f"{self.path} holds something else than an archive: name a new folder, or an empty one")
        make_folder(own)

    def make_day(self, day: int) -> None:
        """Make the folder of a day, unless it is there, so that it survives a power cut. Raises OutputError."""
        folder = self.day(day)
        check_folder(folder)
        if not folder.is_dir():
            make_folder(folder)
            try:
                sync_folder(self.path)
            except OSError as error:
                raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def days(self) -> dict[int, Found]:
        """What lies in the folder of each day, the oldest first. Raises OutputError."""
        try:
            names = sorted(entry.name for entry in os.scandir(self.path) if entry.is_dir(follow_symlinks=False))
            return {day: _look(self.path / name) for name in names if (day := day_of(name)) is not None}
        except OSError as error:
            raise OutputError(f"cannot look into {self.path}: {error.strerror or error}") from error

    def tidy(self, days: dict[int, Found]) -> None:
        """Retire what another file has taken the place of, remove what was retired long ago and what killed writers left."""
        sweep_orphans(self.path / OWN)
        for day, found in days.items():
            folder = self.day(day)
            if found.orphans:
                sweep_orphans(folder)
            self.retire(day, found.superseded)
            for name in found.retired:
                remove(folder / name, after=GRACE)

    def retire(self, day: int, names: Sequence[str]) -> None:
        """Take files out of sight of those who list the folder; those who did so before still find them."""
        folder = self.day(day)
        try:
            for name in names:
                (folder / name).replace(folder / f".{name}")
        except OSError as error:
            raise OutputError(f"cannot rename files in {folder}: {error.strerror or error}") from error


def day_of(name: str) -> int | None:
    """The day that a folder is for, counted from 1970; None where it is for none."""
    key, _, text = name.partition("=")
    try:
        at = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (at - _EPOCH).days if key == "day" else None


def generations(names: Sequence[str]) -> list[Generation]:
    """What these files hold."""
    return [own for name in names if (own := generation_of(name)) is not None]


def remove(path: Path, after: float = 0.0) -> None:
    """Remove a file that changed no later than `after` seconds ago. Raises OutputError."""
    try:
        if not after or time.time() - path.stat().st_ctime > after:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {error.strerror or error}") from error


def _is_ours(path: Path) -> bool:
    """Whether it is the folder of a day with files of an archive only: one that lost what it knew of itself."""
    if day_of(path.name) is None or path.is_symlink() or not path.is_dir():
        return False
    names = [file.name.removeprefix(".") for file in path.iterdir() if file.suffix != ".tmp"]
    return len(generations(names)) == len(names)


def _look(folder: Path) -> Found:
    found, ours = Found(), []
    for name in sorted(entry.name for entry in os.scandir(folder)):
        if generation_of(name) is not None:
            ours.append(name)
        elif name.startswith(".") and generation_of(name[1:]) is not None:
            found.retired.append(name)
        else:
            found.orphans |= name.endswith(".tmp")
    found.files = current(ours)
    found.superseded = [name for name in ours if name not in set(found.files)]
    return found
