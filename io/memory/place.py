"""Opens a file of memory safely: nothing that is far, foreign, a link or a device, and one writer at a time."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ridgeline.io.disk.lock import lock_in_turn
from ridgeline.io.disk.target import check_target
from ridgeline.io.errors import OutputError
from ridgeline.io.memory.filesystem import far_kind
from ridgeline.io.memory.unusable import Unusable

PRIVATE: Final = 0o600
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep every other writer of `path` away for the length of the block; its folder is made. Raises Unusable.

    The lock lies beside the file and is never renamed or removed: the file itself is replaced when it grows.
    """
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            check_target(path)
            _refuse_far(path.parent)
            beside = path.with_name(f"{path.name}.lock")
            stack.enter_context(lock_in_turn(beside, 0))
        except OutputError as error:
            raise Unusable(error) from error
        except (OSError, ValueError) as error:
            raise Unusable(f"{path} cannot be locked: {getattr(error, 'strerror', None) or error}") from error
        yield


def check_usable(path: Path) -> None:
    """Raise Unusable where a run could not write a memory, as far as can be told without making anything."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        if folder == path.parent:
            check_target(path)
        _refuse_far(folder)
    except OutputError as error:
        raise Unusable(error) from error
    except (OSError, ValueError) as error:
        raise Unusable(f"{path} cannot be locked: {getattr(error, 'strerror', None) or error}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Unusable(f"{path} cannot be locked: {folder} may not be written to")
    descriptor = open_file(path, writing=True)
    if descriptor is not None:
        os.close(descriptor)


def open_file(path: Path, *, writing: bool) -> int | None:
    """A descriptor of the file; None where there is none. To write, it must be a regular file of this user.

    Raises Unusable.
    """
    try:
        if not os.path.lexists(path):
            return None
        check_target(path)
        descriptor = os.open(path, (os.O_RDWR if writing else os.O_RDONLY) | _FILE)
    except FileNotFoundError:
        return None
    except OutputError as error:
        raise Unusable(error) from error
    except (OSError, ValueError) as error:
        raise Unusable(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    try:
        _check(descriptor, path, writing=writing)
    except OSError as error:
        os.close(descriptor)
        raise Unusable(f"{path} cannot be used: {error.strerror}") from error
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check(descriptor: int, path: Path, *, writing: bool) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise Unusable(f"{path} is no regular file")
    _refuse_kind(descriptor, path)
    if writing and status.st_uid != os.geteuid():
        raise Unusable(f"{path} belongs to another user")


def _refuse_far(folder: Path) -> None:
    descriptor = os.open(folder, _FOLDER)
    try:
        _refuse_kind(descriptor, folder)
    finally:
        os.close(descriptor)


def _refuse_kind(descriptor: int, path: Path) -> None:
    kind = far_kind(descriptor)
    if kind is not None:
        raise Unusable(f"{path} lies on a network or user-space file system ({kind}): memory needs a local disk")
