"""New files in folders that other programs watch: each appears whole under its own name, and nothing else ever does.

Whoever lists such a folder takes whatever lies there, also a temporary file. So the content is written to a file without
a name, which then gets its own. What fails leaves nothing behind; nothing is waited for until it is on the disk.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.errors import OutputError

# What file systems without nameless files say, and kernels without /proc.
_UNSUPPORTED: Final = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EXDEV}


def publish(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Let a new file appear; False where there is something of its name already, which stays as it is.

    Raises OutputError where it cannot be written.
    """
    try:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error
    try:
        return _appear(folder, path, content, mode)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from error
    finally:
        os.close(folder)


def _appear(folder: int, path: Path, content: bytes, mode: int) -> bool:
    try:
        file = os.open(".", os.O_TMPFILE | os.O_WRONLY, mode, dir_fd=folder)
    except OSError as error:
        return _beside(path, content, mode, error)
    try:
        os.fchmod(file, mode)
        view = memoryview(content)
        while view:
            view = view[os.write(file, view) :]
        os.link(f"/proc/self/fd/{file}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError:
        return False
    except OSError as error:
        return _beside(path, content, mode, error)
    finally:
        os.close(file)
    return True


def _beside(path: Path, content: bytes, mode: int, why: OSError) -> bool:
    """The same with a temporary file beside it, where there are no nameless ones."""
    if why.errno not in _UNSUPPORTED or not path.parent.is_dir():
        raise why
    if os.path.lexists(path):
        return False
    write_atomic(path, content, mode)
    return True


def _failed(path: Path, error: Exception) -> OutputError:
    return OutputError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}")
