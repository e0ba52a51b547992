"""What a commit is to write into exact sections, noted beside the file before: a commit that was killed is made again.

Rows of an exact section mean something only with those that were written with them. A note is whole or it is none, by a
checksum; it is of one file at one turn of its slots, and removed once all of it is written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.memory.bulk import checksum, read_array, write_array
from ridgeline.io.memory.header import DIGEST_BYTES, Header, digest
from ridgeline.io.memory.place import PRIVATE, open_file
from ridgeline.io.memory.unusable import Unusable

Bytes = NDArray[np.uint8]
Writes = Sequence[tuple[int, Bytes]]  # where, in bytes from the start of the memory; what

MAGIC: Final = b"ridgeline redo\n\0"
_NUMBERS: Final = 4  # of the head, behind the magic and the digest of the memory's header: int64
_HEAD: Final = len(MAGIC) + DIGEST_BYTES + 8 * _NUMBERS
_MADE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def beside(path: Path) -> Path:
    """Where the note on the memory at `path` lies."""
    return path.with_name(f"{path.name}.redo")


def note(path: Path, header: Header, turn: int, writes: Writes) -> None:
    """Note what is about to be written, where the newest slot of the file is that of `turn`. Raises OSError."""
    places = np.array([(at, values.size) for at, values in writes], np.int64).reshape(-1, 2)
    parts: list[NDArray[Any]] = [places, *(values.reshape(-1) for _, values in writes)]
    descriptor = os.open(beside(path), _MADE, PRIVATE)
    try:
        at = _HEAD
        for part in parts:
            write_array(descriptor, at, part)
            at += part.nbytes
        numbers = np.array([turn, len(places), at - _HEAD, checksum(*parts)], np.int64)
        head = MAGIC + digest(header.to_bytes()) + numbers.tobytes()
        write_array(descriptor, 0, np.frombuffer(head, np.uint8))
    finally:
        os.close(descriptor)


def redo(path: Path, header: Header, turn: int, write: Callable[[int, Bytes], None]) -> None:
    """Write again what was noted of this file, if it was; the newest slot of the file is that of `turn`.

    Raises OSError.
    """
    for at, values in _noted(path, header, turn):
        write(at, values)


def forget(path: Path) -> None:
    """Remove the note, if there is one. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        beside(path).unlink()


def _noted(path: Path, header: Header, turn: int) -> Writes:
    """What was noted; nothing where that is not whole, or of another file or time."""
    try:
        descriptor = open_file(beside(path), writing=False)
    except Unusable:
        return ()
    if descriptor is None:
        return ()
    try:
        head = os.pread(descriptor, _HEAD, 0)
        if len(head) < _HEAD or head[: -8 * _NUMBERS] != MAGIC + digest(header.to_bytes()):
            return ()
        noted, count, size, summed = np.frombuffer(head[-8 * _NUMBERS :], np.int64).tolist()
        if turn not in (noted, noted + 1) or os.fstat(descriptor).st_size < _HEAD + size:
            return ()
        places = read_array(descriptor, _HEAD, (count, 2), "<i8")
        rest = read_array(descriptor, _HEAD + places.nbytes, (size - places.nbytes,), "|u1")
    finally:
        os.close(descriptor)
    ends = np.cumsum(places[:, 1])
    parts = [rest[end - length : end] for end, length in zip(ends.tolist(), places[:, 1].tolist(), strict=True)]
    if checksum(places, *parts) != summed:
        return ()
    return list(zip(places[:, 0].tolist(), parts, strict=True))
