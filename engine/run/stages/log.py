"""The log of runs: what this one found, added to the file at its end, however it ends."""

from __future__ import annotations

import os
from functools import partial
from typing import Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import OutputError

GRACE: Final = 1.4  # seconds beyond the deadline for the disk, whatever took the time before
LEAST: Final = 0.2


def write_log(turn: Turn) -> None:
    """Add the run to the log; where that cannot be done, it is said. Nothing in a dry run."""
    request = turn.request
    log = request.config.log
    if log.file is None or request.dry_run:
        return
    from ridgeline.engine.report.log import Writer, as_json, as_text, entries
    from ridgeline.io.disk.rotated import append

    show, writer = as_json if log.format == "json" else as_text, Writer(turn.wall(), os.getpid())
    said = entries(turn.report, turn.exit_code(), match=request.match, warnings=request.config.warnings)
    text = "".join(show(entry, writer) for entry in said)
    work = partial(append, log.file, text.encode("utf-8", "backslashreplace"), largest=log.max_size, keep=log.keep)
    try:
        aside(work, max(turn.budget.left() + GRACE, LEAST), "log")
    except Overdue:
        turn.warn(f"this run is not in the log {log.file}: the disk did not answer before the deadline")
    except OutputError as error:
        turn.warn(f"this run is not in the log: {error}")
