"""Waiting for machine code no longer than the caller has time: for whoever compiles now, and for our own compiler."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from typing import IO, Final

from ridgeline.kernels.native.folder import Folder

MOST: Final = 600.0  # seconds that a compilation may take; also what a caller without a limit waits for another's
_PAUSE: Final = 0.05


class StillCompiling(Exception):  # noqa: N818 - a state of affairs, not a mistake
    """The caller's time is up before the kernels are compiled. What has begun goes on, and the next start finds it."""


class Patience:
    """How long a caller waits: `seconds` from now, None: as long as it takes."""

    def __init__(self, seconds: float | None) -> None:
        self._began = time.monotonic()
        self._end = math.inf if seconds is None else self._began + max(seconds, 0.0)

    @property
    def left(self) -> float:
        """Seconds left, infinite without a limit."""
        return max(self._end - time.monotonic(), 0.0)

    @property
    def timeout(self) -> float:
        """Seconds left as `threading` takes them: -1 without a limit."""
        return -1 if math.isinf(self._end) else self.left

    def pause(self, most: float = _PAUSE) -> None:
        """Sleep a little; StillCompiling where no time is left for it."""
        if not self.left:
            raise StillCompiling(
                f"the kernels are still being compiled, once for this machine, after {time.monotonic() - self._began:.0f} s; "
                "that goes on, and the next start finds them (`ridgeline warmup` waits for it)"
            )
        time.sleep(min(most, self.left))


@contextlib.contextmanager
def locked(
    folder: Folder, name: str, patience: Patience, busy: Callable[[], None], most: float = MOST
) -> Iterator[IO[bytes]]:
    """Hold an exclusive lock, as an open file that a child may inherit; StillCompiling where the caller's time is up.

    Calls `busy` if it has to wait. Goes on without the lock after `most` seconds, or where the file system has none:
    everything is published by rename.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with open(os.open(name, flags, 0o600, dir_fd=folder.descriptor), "rb") as file:  # noqa: PTH123 - by descriptor
        end = time.monotonic() + most
        while time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                busy()
                patience.pause()
                continue
            except OSError:
                pass
            break
        yield file


def lock_is_free(folder: Folder, name: str) -> bool:
    """Whether nobody holds the lock now; False where that cannot be told."""
    try:
        with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder.descriptor), "rb") as file:  # noqa: PTH123 - by descriptor
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
