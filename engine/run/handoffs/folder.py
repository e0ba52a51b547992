"""A folder of checks that a sibling watches: new files in it, none over another metric's."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ridgeline.engine.run.handoffs.names import check_name
from ridgeline.io.disk.atomic import write_atomic
from ridgeline.io.disk.publish import publish
from ridgeline.io.errors import OutputError

LARGEST: Final = 1 << 16  # bytes of a check that are read to see whose it is


@dataclass(slots=True)
class Checks:
    """The checks that one run puts into a folder. The first line of each says whose it is."""

    folder: Path
    _taken: dict[str, str] = field(default_factory=dict)

    def put(self, stem: str, metric: str, content: str, about: str = "") -> None:
        """Write the check `<stem>.<sane name>.txt`; where that is the name of another, a hash tells them apart.

        Of one metric there are several in a run where `about` differs. Raises OutputError.
        """
        identity = f"{metric}\0{about}"
        for apart in ("", identity):
            name = check_name(stem, metric, ".txt", apart)
            if self._taken.setdefault(name, identity) != identity:
                continue
            if put_check(self.folder / name, content):
                return
        raise OutputError(f"cannot write {self.folder / name}: there is something else of that name")

    def withdraw(self, stem: str, metric: str, first_line: str, about: str = "") -> None:
        """Remove the check of this metric, where it is still there. Raises OutputError."""
        for apart in ("", f"{metric}\0{about}"):
            path = self.folder / check_name(stem, metric, ".txt", apart)
            there = read_regular(path)
            if there is not None and there.partition(b"\n")[0] == first_line.encode("utf-8", "backslashreplace"):
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise OutputError(f"cannot remove {path}: {error.strerror or error}") from error


def put_check(path: Path, content: str) -> bool:
    """Write a check, also in place of one about the same metric; False where something else has its name.

    Raises OutputError.
    """
    written = content.encode("utf-8", "backslashreplace")
    first = written.partition(b"\n")[0]
    return put_file(path, written, lambda there: there.partition(b"\n")[0] == first)


def put_file(path: Path, content: bytes, ours: Callable[[bytes], bool]) -> bool:
    """Write a file; where there is one already that is `ours` by its content, in its place, unless it says the same.

    An earlier run said so at the same second, or of the same point. False where something else has its name. Raises
    OutputError.
    """
    if publish(path, content):
        return True
    there = read_regular(path, len(content) + LARGEST)
    if there is None or not ours(there):
        return False
    if there != content:
        write_atomic(path, content)
    return True


def read_regular(path: Path, most: int = LARGEST) -> bytes | None:
    """The first `most` bytes of a regular file; None for what is none, or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        return os.read(descriptor, most) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)
