"""Folders that a run writes to: there, ours to write, and not about to be full."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ridgeline.engine.config.model import Config
from ridgeline.engine.doctor.check import Check, green, red, yellow
from ridgeline.io.disk.lock import state_folder

LEAST_FREE: Final = 1 << 30  # bytes


def look_at_folders(config: Config) -> Iterator[Check]:
    """One check for each folder, none for what is not configured."""
    for key, folder in written(config).items():
        yield _look(key, folder)


def written(config: Config) -> Mapping[str, Path]:
    """Where a run writes, by the key of the configuration that says so."""
    found: dict[str, Path] = {}
    if config.output.directory is not None:
        found["[output] directory"] = config.output.directory
    if config.output.state is not None:
        found["[output] state"] = config.output.state.parent
    elif config.source.kind != "redis":
        found["state"] = config.output.directory or state_folder()
    if config.archive.directory is not None:
        found["[archive] directory"] = config.archive.directory
    if config.remote_files.directory is not None:
        found["[remote_files] directory"] = config.remote_files.directory
    return found


def _look(key: str, folder: Path) -> Check:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    if folder.exists() and not folder.is_dir():
        return red("folders", f"{key} {folder} is no folder", "name a folder")
    if not os.access(there, os.W_OK | os.X_OK):
        what = "cannot be written to" if there == folder else f"cannot be made below {there}"
        return red("folders", f"{key} {folder} {what}", f"let the user of runs write to {there}")
    free = shutil.disk_usage(there).free
    made = "" if there == folder else ", which will be made"
    detail = f"{key} {folder}{made}, {free / (1 << 30):,.1f} GiB free"
    if free < LEAST_FREE:
        return yellow("folders", detail, "make room: what cannot be written is lost, and the run ends 74")
    return green("folders", detail)
