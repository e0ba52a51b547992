"""The configuration of code that names none: Skyline's own names take no argument for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from ridgeline.engine.config.load import load_config
from ridgeline.engine.config.model import Config

VARIABLE: Final = "RIDGELINE_CONFIG"
HERE: Final = "ridgeline.toml"

Made = TypeVar("Made")


def found_config(environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration that `RIDGELINE_CONFIG` names, else `ridgeline.toml` here, else the defaults.

    Raises InputError where it cannot be read.
    """
    named = environ.get(VARIABLE)
    if named:
        return load_config(Path(named), environ)
    return load_config(Path(HERE), environ) if Path(HERE).exists() else Config()


@dataclass(slots=True)
class Kept(Generic[Made]):
    """What is made of the configuration found, made again only when another file is meant or the file has changed."""

    make: Callable[[Config], Made]
    _known: tuple[object, Made] | None = None

    def get(self, environ: Mapping[str, str] = os.environ) -> Made:
        """What is made of it now. Raises InputError where the configuration cannot be read, or nothing be made of it."""
        mark = _mark(environ.get(VARIABLE) or HERE)
        known = self._known
        if known is None or known[0] != mark:
            known = self._known = (mark, self.make(found_config(environ)))
        return known[1]


def _mark(file: str) -> tuple[object, ...]:
    """What tells a file from another one, and from itself before a change."""
    try:
        found = os.stat(file)  # noqa: PTH116 - a Path would cost as much as the question
    except OSError:
        return (file,)
    return file, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
