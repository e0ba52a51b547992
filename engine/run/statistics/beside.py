"""The textfile of other work than runs: beside the runs' own, because a collector reads all of a folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.io.disk.atomic import sweep_orphans, write_atomic
from ridgeline.io.errors import OutputError

LEAST: Final = 0.2  # seconds for one answer, however late it is
GRACE: Final = 1.2  # seconds beyond the deadline for the disk


def textfile(path: Path, work: str) -> Path:
    """The file for a kind of work that belongs to the one for runs: `ridgeline_batch.prom` beside `ridgeline.prom`."""
    return path.with_name(f"{path.stem}_{work}{path.suffix}")


def replace_textfile(path: Path, content: bytes, find: Callable[[int, str], None], left: Callable[[], float]) -> None:
    """Write it within the seconds that are `left`, and a moment; `find` is told of what went wrong, with an exit code."""
    try:
        aside(partial(_replace, path, content), max(left() + GRACE, LEAST), "textfile")
    except Overdue:
        find(OutputError.exit_code, f"cannot write {path}: the disk did not answer before the deadline")
    except OutputError as error:
        find(error.exit_code, str(error))


def _replace(path: Path, content: bytes) -> None:
    sweep_orphans(path.parent)
    write_atomic(path, content)
