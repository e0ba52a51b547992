"""Whether anything that is installed may declare entry points: found without `importlib.metadata`, whose import alone takes 10 ms."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

_METADATA: Final = (".dist-info", ".egg-info")


def may_declare(group: str, path: Sequence[str]) -> bool:
    """Whether an installed package may declare entry points of a group: True also where only the library can tell."""
    if any(finder is not PathFinder and hasattr(finder, "find_distributions") for finder in sys.meta_path):
        return True
    return any(_folder_may(group.encode(), folder or os.curdir) for folder in path)


def _folder_may(group: bytes, folder: str) -> bool:
    """The same of one entry of the path."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - hundreds of names, of which few are wanted
    except NotADirectoryError:  # an archive, perhaps
        return True
    except OSError:
        return False
    return any(group in _entry_points(Path(folder, name)) for name in _metadata(folder, names))


def _metadata(folder: str, names: Sequence[str]) -> Iterator[str]:
    """Those of the names in a folder that hold a package's metadata."""
    for name in names:
        low = name.lower()
        if low.endswith(_METADATA) or (low == "egg-info" and folder.lower().endswith(".egg")):
            yield name


def _entry_points(metadata: Path) -> bytes:
    try:
        return (metadata / "entry_points.txt").read_bytes()
    except OSError:
        return b""
