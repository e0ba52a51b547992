"""Clearing a cache folder: stamps that nobody uses any more, and what crashed builders left behind."""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import Final

from ridgeline.kernels.native.folder import Folder
from ridgeline.kernels.native.stamp import STAMP
from ridgeline.kernels.native.waiting import lock_is_free

_KEPT: Final = 3  # stamps that a sweep leaves, the newest
_IN_USE: Final = 3600.0  # seconds for which a folder counts as in use; a start renews it
_BUILDING: Final = re.compile(rf"\.build-({STAMP.pattern})-\d+")
_LOCK: Final = re.compile(rf"({STAMP.pattern})\.lock")


def building(stamp: str) -> str:
    """Name of the folder in which this process builds what is kept under a stamp."""
    return f".build-{stamp}-{os.getpid()}"


def mark_used(folder: Folder) -> None:
    """Renew the folder's time, at most once an hour, so that a sweep leaves it."""
    with contextlib.suppress(OSError):
        if time.time() - os.fstat(folder.descriptor).st_mtime > _IN_USE:
            os.utime(folder.descriptor)


def sweep_orphans(place: Folder, held: str = "") -> None:
    """Remove the folders of builders that are gone: old ones, and those whose lock nobody holds (or we do: `held`)."""
    for name, age in _aged(place):
        found = _BUILDING.fullmatch(name)
        if found and (found[1] == held or age > _IN_USE or lock_is_free(place, f"{found[1]}.lock")):
            place.remove(name)


def sweep(place: Folder) -> None:
    """Remove old stamps (the newest three and those in use stay), and the locks of stamps that are gone."""
    aged = _aged(place)
    stamps = [(name, age) for name, age in aged if STAMP.fullmatch(name)]
    for name, age in stamps[_KEPT:]:
        if age > _IN_USE:
            place.remove(name)
    left = set(place.names())
    for name, age in aged:
        found = _LOCK.fullmatch(name)
        if found and found[1] not in left and age > _IN_USE:
            place.remove(name)


def _aged(place: Folder) -> list[tuple[str, float]]:
    """Names in the folder and the seconds since their last use, newest first."""
    now, found = time.time(), []
    for name in place.names():
        with contextlib.suppress(OSError):
            found.append((name, now - place.look(name).st_mtime))
    return sorted(found, key=lambda entry: entry[1])
