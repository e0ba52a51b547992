"""Files that are whole or absent: write beside, flush to disk, rename.

A reader sees the old file or the new one, never a torn one, whatever dies and whenever. What a killed writer leaves
behind is swept at the next start: it bears a name that only this module gives, `.NAME.ridgeline-XXXXXXXX.tmp`, so that
nobody else's file is taken for it; a lock on each temporary file tells a living writer from a dead one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from ridgeline.io.disk.target import check_target
from ridgeline.io.errors import OutputError
from ridgeline.io.text import truncate

_OURS = re.compile(r"\..*\.ridgeline-[a-z0-9_]{8}\.tmp", re.DOTALL)
Content = bytes | Callable[[BinaryIO], object]


def write_atomic(path: Path, content: Content, mode: int = 0o644) -> None:
    """Replace `path` by `content` (bytes, or a function that writes to an open file) in one step.

    Order: temporary file in the same folder, write, fsync, close, rename, fsync of the folder. Raises OutputError, with
    the old file intact and no temporary file left; UnsafeTarget for a `path` that exists and is no regular file.
    """
    check_target(path)
    try:
        with _temporary(path) as (name, file):
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            file.close()  # a full disk may speak up only here
            name.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"cannot write {path}: {reason}; the old file, if any, is untouched") from error


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A temporary file beside `path`, locked until the end of the block; gone if the block fails."""
    name, descriptor = _create(path)
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            yield name, file
    except BaseException:
        name.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)  # the lock ends with its last descriptor: after the rename


def _create(path: Path) -> tuple[Path, int]:
    """Path and locked descriptor of a new temporary file that no sweep can take for an orphan."""
    while True:
        descriptor, name = tempfile.mkstemp(".tmp", f".{truncate(path.name, 200, '')}.ridgeline-", path.parent)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return Path(name), descriptor
        except BaseException:
            os.close(descriptor)
            Path(name).unlink(missing_ok=True)
            raise
        os.close(descriptor)  # a sweep came between creating and locking, and removed it


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep_orphans(folder: Path) -> int:
    """Remove the temporary files that killed writers left in `folder` and return their number.

    Only regular files of this user, of the names that this module gives, that no living writer holds. Raises OutputError.
    """
    try:
        candidates = [path for path in folder.iterdir() if _OURS.fullmatch(path.name)] if folder.is_dir() else []
        return sum(_remove_orphan(path) for path in candidates)
    except OSError as error:
        raise OutputError(f"cannot sweep temporary files in {folder}: {error.strerror or error}") from error


def _remove_orphan(path: Path) -> bool:
    """Remove one temporary file unless it is in use or not ours; True if removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a link, another user's file, or gone already: not an orphan of ours
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return False
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
