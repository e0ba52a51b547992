"""An open folder that only we and root can change, and what is done in it: everything by descriptor, nothing by path."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ridgeline.kernels.native.trust import enter, judge, walk

_LIST: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder. `path` is for people and for the linker."""

    path: Path
    descriptor: int

    def read(self, name: str, most: int) -> bytes:
        """Content of a regular file of up to `most` bytes; OSError, UntrustedError where others can write to it."""
        descriptor = os.open(name, _READ, dir_fd=self.descriptor)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_size > most:
                raise OSError(errno.EINVAL, f"{self.path / name} is not a file of ours")
            judge(found, self.path / name)
            return file.read(most)

    def write(self, name: str, content: bytes) -> None:
        """Publish a file in one rename."""
        temporary = f".{name}.{os.getpid()}.{time.monotonic_ns()}"
        try:
            with open(os.open(temporary, _WRITE, 0o600, dir_fd=self.descriptor), "wb") as file:  # noqa: PTH123 - a descriptor
                file.write(content)
            self.move(temporary, self, name)
        except OSError:
            self.remove(temporary)
            raise

    def move(self, name: str, target: Folder, new: str) -> None:
        """Rename a file into a folder of the same file system."""
        os.rename(name, new, src_dir_fd=self.descriptor, dst_dir_fd=target.descriptor)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that is in it, as far as that can be done."""
        try:
            os.unlink(name, dir_fd=self.descriptor)
        except IsADirectoryError:
            import shutil  # noqa: PLC0415 - 2 ms that most starts do not pay

            shutil.rmtree(name, dir_fd=self.descriptor, ignore_errors=True)
        except OSError:
            return

    def names(self) -> list[str]:
        """Names of what is in it."""
        return os.listdir(self.descriptor)  # noqa: PTH208 - by descriptor

    def look(self, name: str) -> os.stat_result:
        """What the file system says of an entry, links not followed; OSError where there is none."""
        return os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)

    @contextlib.contextmanager
    def inner(self, name: str, *, create: bool = False) -> Iterator[Folder]:
        """A folder within, as `opened`."""
        with _judged(enter(self.descriptor, name, create=create), self.path / name) as folder:
            yield folder


@contextlib.contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[Folder]:
    """The folder at an absolute path, open for the length of the block; made, 0700, if `create`.

    OSError where it cannot be had, UntrustedError where another user could have changed it or a folder on the way.
    """
    with _judged(walk(path, create=create), path) as folder:
        yield folder


@contextlib.contextmanager
def _judged(step: int, path: Path) -> Iterator[Folder]:
    """The folder whose O_PATH descriptor is `step` (closed here), opened for reading, and judged more strictly than a step."""
    try:
        descriptor = os.open(".", _LIST, dir_fd=step)
    finally:
        os.close(step)
    try:
        judge(os.fstat(descriptor), path)
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)
