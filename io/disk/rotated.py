"""A file that grows by whole entries and is begun anew when it gets too large; the former ones are kept as NAME.1, NAME.2.

Several processes may add to one file: each locks it for the moment of writing, and one that finds it renamed meanwhile
opens the new one. An entry is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ridgeline.io.disk.lock import wait_for
from ridgeline.io.disk.target import check_target
from ridgeline.io.errors import OutputError

PATIENCE: Final = 2.0  # seconds for others that are writing


def names(path: Path, keep: int) -> list[Path]:
    """The file, then those that are kept of it, newest first."""
    return [path, *(path.with_name(f"{path.name}.{at}") for at in range(1, keep + 1))]


def append(path: Path, entry: bytes, *, largest: int, keep: int, mode: int = 0o640) -> None:
    """Add an entry; beyond `largest` bytes the file is renamed first and a new one begun, `keep` former ones are kept.

    An entry larger than that has a file of its own. Raises OutputError, with the file as it was; UnsafeTarget where one
    of the names is taken by something that is no regular file. Waits `PATIENCE` for others that write.
    """
    for file in names(path, keep):
        check_target(file)
    try:
        with _held(path, mode) as descriptor:
            size = os.fstat(descriptor).st_size
            if not size or size + len(entry) <= largest:
                _add(descriptor, size, entry)
                return
            _rotate(path, keep)
        with _held(path, mode) as descriptor:
            _add(descriptor, os.fstat(descriptor).st_size, entry)
    except OSError as error:
        raise OutputError(f"cannot write to {path}: {error.strerror or error}") from error


@contextlib.contextmanager
def _held(path: Path, mode: int) -> Iterator[int]:
    """The descriptor of the file that bears this name, made if it is not there, locked until the end of the block."""
    end = time.monotonic() + PATIENCE
    while True:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, mode)
        try:
            wait_for(descriptor, end)
            if _is_called(path, descriptor):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _is_called(path: Path, descriptor: int) -> bool:
    """Whether nobody renamed the open file while we waited for it."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _add(descriptor: int, size: int, entry: bytes) -> None:
    rest = memoryview(entry)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, size)  # a full disk takes half an entry
        raise


def _rotate(path: Path, keep: int) -> None:
    """Give every file the next one's name, the oldest first, which goes; without any to keep the file itself goes."""
    kept = names(path, keep)
    if not keep:
        path.unlink()
    for older, newer in zip(reversed(kept), reversed(kept[:-1]), strict=False):
        with contextlib.suppress(FileNotFoundError):
            newer.replace(older)
