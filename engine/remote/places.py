"""Where a peer's file lies here. Its path is absolute, and of a host that is not this one: only what we know in it counts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from ridgeline.engine.remote.answers import TRAINING, FileSet
from ridgeline.engine.run.handoffs.names import data_path, sane
from ridgeline.io.disk.confined import Place, Refused

# The folders that Skyline's settings ship with, below the one for Ionosphere: ours may stand in for that.
ROOTS: Final = {"training_data": "data", "features_profiles": "features_profiles"}
OUTSIDE: Final = "outside"


def folders_of(wanted: FileSet) -> list[Place]:
    """What the folder of a set may be called below its root; of training data in plain names, and in sane ones."""
    names = tuple(wanted.metric.split("."))
    if wanted.source != TRAINING:
        return [(*names, str(wanted.timestamp))]
    ways = (names, tuple(sane(wanted.metric).split(".")), data_path(wanted.metric))
    return list(dict.fromkeys((str(wanted.timestamp), *way) for way in ways))


def place_of(wanted: FileSet, name: str, path: Any) -> Place:
    """The place of a file that is called `name` and lies at `path` there. Raises Refused where that is not within its set.

    What comes before the set's own folder is the peer's, and is left out; the set's own is followed by what lies in it.
    """
    parts = tuple(part for part in path.split("/") if part) if isinstance(path, str) and path.startswith("/") else ()
    if {".", ".."}.isdisjoint(parts) and parts[-1:] == (name,):
        for folder in folders_of(wanted):
            for at in range(len(parts) - len(folder)):
                if parts[at : at + len(folder)] == folder:
                    return (ROOTS[wanted.source], *folder, *parts[at + len(folder) :])
    raise Refused(OUTSIDE)


def folder_of(wanted: FileSet) -> Place:
    """Where a set lies here."""
    return (ROOTS[wanted.source], *folders_of(wanted)[0])


def lies_in(directory: Path, wanted: FileSet) -> bool:
    """Whether there is a folder of that set: what was noted may be of another host, or removed since."""
    return any(os.path.isdir(directory.joinpath(ROOTS[wanted.source], *names)) for names in folders_of(wanted))  # noqa: PTH112 - False too where no name can be that long
