"""A folder for files that strangers name: none of their names leads out of it, and each file is whole or absent.

Every folder on the way is opened by its own name, links not followed, so that what lies on the disk cannot lead out either.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ridgeline.io.disk.atomic import Content
from ridgeline.io.disk.publish import publish
from ridgeline.io.errors import OutputError

Place = tuple[str, ...]
Reason = Literal["unsafe_name", "device_name", "too_long", "alike", "in_the_way"]

LONGEST_NAME: Final = 255  # bytes of one name (NAME_MAX)
LONGEST_PLACE: Final = 1024  # bytes of all names of a place
DEEPEST: Final = 64  # names of a place
# What Windows takes for a device whatever follows the first dot: such a folder may be shared with one.
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_NO_FOLDER: Final = {errno.ENOTDIR, errno.ELOOP}


@dataclass(slots=True)
class Kept:
    """How much lies in a folder."""

    bytes: int = 0
    files: int = 0


class Refused(Exception):  # noqa: N818 - reads as the sentence it is
    """A place that no file may go to; `reason` in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Confined:
    """The folder `root`. A place is the names of the folders below it, then that of a file."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def holds(self, place: Place) -> bool:
        """Whether the file is there.

        Raises Refused for a place that no file may go to, or where anything but a regular file stands or one whose name
        differs in case or form only; OutputError where that cannot be seen.
        """
        check_place(place)
        with self._failures(place), contextlib.ExitStack() as opened:
            folder = _open(self.root, place[:-1], opened, made=None)
            return folder is not None and _is_there(folder, place[-1])

    def add(self, place: Place, content: Content) -> bool:
        """Let a new file appear, its folders made; False where there is one of its name, which stays.

        It is on the disk when this returns. Whatever `content` raises goes on, and nothing is left behind, folders
        included. Raises Refused and OutputError as `holds` does.
        """
        check_place(place)
        made: list[tuple[int, str]] = []
        with self._failures(place), contextlib.ExitStack() as opened:
            try:
                folder = _open(self.root, place[:-1], opened, made)
                if folder is None or _is_there(folder, place[-1]):
                    return False
                return publish(Path(f"/proc/self/fd/{folder}") / place[-1], content, durable=True)
            except BaseException:
                for parent, name in reversed(made):
                    with contextlib.suppress(OSError):  # another file has come into it
                        os.rmdir(name, dir_fd=parent)
                raise

    def kept(self, *names: str) -> Kept:
        """What lies below some folders of it, regular files only. Raises OutputError."""
        kept = Kept()
        for name in names:
            for folder, _, files in os.walk(self.root / name, onerror=_unless_gone):
                for file in files:
                    with self._failures((folder, file)), contextlib.suppress(FileNotFoundError):
                        status = Path(folder, file).lstat()
                        if stat.S_ISREG(status.st_mode):
                            kept.bytes += status.st_size
                            kept.files += 1
        return kept

    @contextlib.contextmanager
    def _failures(self, place: Sequence[str]) -> Iterator[None]:
        """Turn what the system says, and what `publish` says of a path that means nothing to people, into OutputError."""
        try:
            yield
        except OSError as error:
            raise OutputError(f"cannot use {self.root.joinpath(*place)}: {error.strerror or error}") from error
        except OutputError as error:
            why = getattr(error.__cause__, "strerror", None) or "it cannot be written"
            raise OutputError(f"cannot write {self.root.joinpath(*place)}: {why}") from error


def check_place(place: Place) -> None:
    """Raise Refused where one of its names is no plain one, or all of them are too long."""
    if len(place) > DEEPEST or sum(len(name.encode("utf-8", "replace")) + 1 for name in place) > LONGEST_PLACE:
        raise Refused("too_long")
    for name in place:
        fault = name_fault(name)
        if fault is not None:
            raise Refused(fault)


def name_fault(name: str) -> Reason | None:
    """What is wrong with the name of a file or folder that a stranger gave; None for a plain one."""
    hidden_or_above = not name or name.startswith(".")  # the latter has no use here, and some programs go by such files
    if hidden_or_above or name.endswith((".", " ")) or not name.isprintable() or not _FORBIDDEN.isdisjoint(name):
        return "unsafe_name"
    if len(name.encode()) > LONGEST_NAME:  # printable: there are no surrogates
        return "too_long"
    return "device_name" if _DEVICE.fullmatch(name) else None


def alike(name: str) -> str:
    """What names have in common that some file systems take for one: case, and Unicode's forms of one text."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _open(
    root: Path, names: Sequence[str], opened: contextlib.ExitStack, made: list[tuple[int, str]] | None
) -> int | None:
    """A descriptor of the folder, closed with `opened`; None where it is not there and `made`, of those made, is None."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folder = os.open(root, flags)  # the operator's own: it may be a link
    opened.callback(os.close, folder)
    for name in names:
        if made is not None:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=folder)
                made.append((folder, name))
        try:
            folder = os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in _NO_FOLDER:
                raise Refused("in_the_way") from None
            raise
        opened.callback(os.close, folder)
    return folder


def _is_there(folder: int, name: str) -> bool:
    """Whether a regular file is there. Raises Refused where something else is, or a file of nearly that name."""
    try:
        kind = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        there = os.listdir(folder)
        if name in there:  # another writer has put it there since
            return _is_there(folder, name)
        if alike(name) in map(alike, there):
            raise Refused("alike") from None
        return False
    if not stat.S_ISREG(kind):
        raise Refused("in_the_way")
    return True


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise OutputError(f"cannot look into {error.filename}: {error.strerror}") from error
