"""What a memory file says of itself, for people; and how it is removed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ridgeline.io.memory.header import Damaged, read_header
from ridgeline.io.memory.image import read_image
from ridgeline.io.memory.owner import Owner
from ridgeline.io.memory.place import held, open_file
from ridgeline.io.memory.redo import forget
from ridgeline.io.memory.sections import GONE
from ridgeline.io.memory.unusable import Unusable


@dataclass(frozen=True, slots=True)
class Summary:
    """One file.

    metrics   rows that have a key, `gone` of them listed no more; `spare` more have room
    bytes     its size; `disk_bytes` is what it takes of the disk, since what was never written takes nothing
    made      epoch seconds, as is `written`; `runs` have written it
    known     of how many metrics each section knows something; None for those that only runs look into
    """

    path: Path
    owner: Owner
    metrics: int
    gone: int
    spare: int
    bytes: int
    disk_bytes: int
    made: int
    written: int
    runs: int
    known: dict[str, int | None]

    def as_json(self) -> dict[str, Any]:
        """Return the object of `memory show --json`."""
        return {
            "path": str(self.path),
            "owner": self.owner.as_json(),
            **{name: getattr(self, name) for name in self.__slots__[2:]},
        }


def look_at(path: Path) -> Summary | None:
    """What the file says; None where there is none. Whose it is does not matter. Raises Unusable."""
    descriptor = open_file(path, writing=False)
    if descriptor is None:
        return None
    with _reading(path, descriptor, "; the next run begins anew"):
        header = read_header(descriptor, path, None)
        image = read_image(descriptor, path, header, [section for section in header.sections if section.private])
        status = os.fstat(descriptor)
    rows = len(image.roster)
    known: dict[str, int | None] = {
        section.name: None
        if section.name not in image.sections
        else int(np.count_nonzero(image.sections[section.name][:rows].view(np.int64).any(axis=1)))
        for section in header.sections
    }
    return Summary(
        path=path,
        owner=header.owner,
        metrics=rows,
        gone=int(np.count_nonzero(image.roster.columns[GONE.name])),
        spare=image.spare,
        bytes=status.st_size,
        disk_bytes=512 * status.st_blocks,
        made=header.made,
        written=image.slot.written,
        runs=image.slot.runs,
        known=known,
    )


def owner_of(path: Path) -> Owner:
    """Whose memory the file is. Raises Unusable, also where there is none."""
    descriptor = open_file(path, writing=False)
    if descriptor is None:
        raise Unusable(f"there is no memory at {path}")
    with _reading(path, descriptor):
        return read_header(descriptor, path, None).owner


@contextlib.contextmanager
def _reading(path: Path, descriptor: int, then: str = "") -> Iterator[None]:
    """Close the file at the end, and say in a sentence what is wrong with it, and `then` what follows from damage."""
    try:
        yield
    except Damaged as error:
        raise Unusable(f"{path} cannot be used: {error}{then}") from error
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror or error}") from error
    finally:
        os.close(descriptor)


def drop(path: Path, owner: Owner) -> bool:
    """Remove the file, whatever state it is in; False where there is none. Raises Unusable, as opening it to write does."""
    if not os.path.lexists(path):
        return False
    with held(path):
        descriptor = open_file(path, writing=True)
        if descriptor is None:
            return False
        try:
            read_header(descriptor, path, owner)
        except Damaged:
            pass  # ours as far as can be told: the next run would replace it
        finally:
            os.close(descriptor)
        try:
            forget(path)
            path.unlink()
        except OSError as error:
            raise Unusable(f"{path} cannot be removed: {error.strerror}") from error
    return True
