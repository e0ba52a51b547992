"""Tells the numbers of runs and of other work where they are watched, within the time that is left."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.io.errors import OutputError

LEAST: Final = 0.2  # seconds for one answer, however late it is
GRACE: Final = 1.2  # seconds beyond the deadline for the disk, whatever took the time before


def textfile(path: Path, work: str) -> Path:
    """The file for other work than runs, beside the runs' own, because a collector reads all of a folder.

    >>> textfile(Path("ridgeline.prom"), "batch").name
    'ridgeline_batch.prom'
    """
    return path.with_name(f"{path.stem}_{work}{path.suffix}")


def replace_textfile(
    path: Path, render: Callable[[], bytes], find: Callable[[int, str], None], left: Callable[[], float]
) -> None:
    """Write what `render` makes within the seconds that are `left`, and a moment; `find`: told an exit code and what went wrong."""
    try:
        aside(partial(_replace, path, render), max(left() + GRACE, LEAST), "textfile")
    except Overdue:
        find(OutputError.exit_code, f"cannot write {path}: the disk did not answer before the deadline")
    except OutputError as error:
        find(OutputError.exit_code, str(error))


def _replace(path: Path, render: Callable[[], bytes]) -> None:
    from ridgeline.io.disk.atomic import sweep_orphans, write_atomic

    content = render()
    sweep_orphans(path.parent)
    write_atomic(path, content)


def send_lines(
    address: tuple[str, int], lines: bytes, what: str, warn: Callable[[str], object], left: Callable[[], float]
) -> None:
    """Send Graphite the lines of this run, or pass, within the seconds that are `left`.

    What cannot be sent `warn` is told, and it is lost: the next one has numbers of its own.
    """
    from ridgeline.engine.run.statistics.graphite import send
    from ridgeline.io.net.transport import TransportError

    try:
        send(address, lines, max(left(), LEAST))
    except TransportError as error:
        warn(f"the statistics of this {what} were not sent: {error}")
