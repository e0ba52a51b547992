"""Where files of peers go: below one folder, each within its limit and all within theirs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import BinaryIO, Final

from ridgeline.engine.config.model import RemoteFiles
from ridgeline.engine.remote.places import ROOTS
from ridgeline.io.disk.confined import Confined, Kept, Place
from ridgeline.io.disk.target import make_folder
from ridgeline.io.errors import InputError

MOST: Final = 250_000  # files: small ones fill a disk too


class Full(Exception):  # noqa: N818 - reads as the sentence it is
    """There is no room for a file."""

    def __init__(self, files: RemoteFiles) -> None:
        super().__init__(
            f"{files.directory} holds as much as may be: nearly its `[remote_files] max_total` of {files.max_total:,} bytes, "
            f"or {MOST:,} files"
        )


class Store:
    """The folder of `[remote_files]`; `told` is called for every file that has come."""

    def __init__(self, files: RemoteFiles, told: Callable[[], object]) -> None:
        if files.directory is None:
            raise InputError("`[remote_files] directory` is missing: name the folder for files of remote instances")
        make_folder(files.directory)
        self.files, self.told, self.directory = files, told, files.directory.absolute()
        self._folder = Confined(files.directory)

    def holds(self, place: Place) -> bool:
        """Whether a file is here. Raises Refused and OutputError."""
        return self._folder.holds(place)

    def most(self) -> int:
        """The bytes that another file may have. Raises Full where there is no room for any."""
        room = self.files.max_total - self._kept.bytes
        if room <= 0 or self._kept.files >= MOST:
            raise Full(self.files)
        return min(self.files.max_file, room)

    def add(self, place: Place, fill: Callable[[BinaryIO], object]) -> int:
        """Let a file appear, and return its bytes. Raises Refused, OutputError and what `fill` raises."""
        size = 0

        def content(file: BinaryIO) -> None:
            nonlocal size
            fill(file)
            size = file.tell()

        if not self._folder.add(place, content):
            return 0  # somebody else has put it there meanwhile
        self._kept.bytes += size
        self._kept.files += 1
        return size

    @cached_property
    def _kept(self) -> Kept:
        """All that lies there, whoever put it there; looked at once, when the first file is to come."""
        return self._folder.kept(*ROOTS.values())
