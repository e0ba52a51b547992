"""New files in folders that other programs watch: each appears whole under its own name, and nothing else ever does.

Whoever lists such a folder takes whatever lies there, also a temporary file. So the content is written to a file without
a name, which then gets its own. What fails leaves nothing behind.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final

from ridgeline.io.disk.atomic import Content, sync_folder, write_atomic
from ridgeline.io.errors import OutputError

# What file systems without nameless files say, and kernels without /proc.
_UNSUPPORTED: Final = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EXDEV}


def publish(path: Path, content: Content, mode: int = 0o644, *, durable: bool = False) -> bool:
    """Let a new file appear; False where there is something of its name already, which stays as it is.

    content   bytes, or a function that writes to an open file; what it raises, OSError excepted, goes on as it is
    durable   wait until it is on the disk, so that it survives a power cut, whole

    Raises OutputError where it cannot be written.
    """
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error
    try:
        appeared = _appear(folder, path, content, mode, durable=durable)
        if appeared and durable:
            sync_folder(path.parent)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error
    finally:
        os.close(folder)
    return appeared


def _appear(folder: int, path: Path, content: Content, mode: int, *, durable: bool) -> bool:
    try:
        file = os.open(".", os.O_TMPFILE | os.O_RDWR, mode, dir_fd=folder)
    except OSError as error:
        return _beside(path, content, mode, error)
    try:
        os.fchmod(file, mode)
        _fill(file, content)
        if durable:
            os.fsync(file)
        try:
            os.link(f"/proc/self/fd/{file}", path.name, dst_dir_fd=folder, follow_symlinks=True)
        except FileExistsError:
            return False
        except OSError as error:
            return _beside(path, partial(_copy, file), mode, error)  # a function may have nothing to write twice
    finally:
        os.close(file)
    return True


def _fill(file: int, content: Content) -> None:
    if callable(content):
        with os.fdopen(file, "wb", closefd=False) as writer:
            content(writer)
        return
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]


def _copy(file: int, target: BinaryIO) -> None:
    """Write into the target what the file holds."""
    from shutil import copyfileobj

    with os.fdopen(file, "rb", closefd=False) as reader:
        reader.seek(0)
        copyfileobj(reader, target)


def _beside(path: Path, content: Content, mode: int, why: OSError) -> bool:
    """The same with a temporary file beside it, where there are no nameless ones."""
    if why.errno not in _UNSUPPORTED or not path.parent.is_dir():
        raise why
    if os.path.lexists(path):
        return False
    write_atomic(path, content, mode)
    return True


def _failed(path: Path, error: Exception) -> OutputError:
    return OutputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
