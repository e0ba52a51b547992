"""Files that are read whole because they are small: the configuration, secrets, templates."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_small(path: Path, most: int) -> bytes:
    """Read a regular file of at most `most` bytes, never waiting for a pipe or a device.

    Raises OSError where it cannot be opened, and ValueError saying what is wrong otherwise.
    """
    if "\0" in str(path):
        raise ValueError("its name holds a NUL character")
    with open(path, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file but a device, a pipe or a socket")
        raw = file.read(most + 1)
    if len(raw) > most:
        raise ValueError(f"it is larger than {most:,} bytes")
    return raw


def _without_waiting(path: str, flags: int) -> int:
    """Open; without O_NONBLOCK, that would wait for someone to write into a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)
