"""The files of a run: refused at first if they would lie among its data, written last of all."""

from __future__ import annotations

from functools import partial
from typing import Final

from ridgeline.engine.report.files import PARQUET, write_outputs
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import OutputError

GRACE: Final = 1.0  # seconds beyond the deadline: the disk is given a chance even where all else took its whole share


def keep_apart(turn: Turn) -> None:
    """Raise UnsafeTarget where a file would be written among the data, to be read as such by the next run."""
    config = turn.request.config
    if turn.request.dry_run or turn.source is None:
        return
    directory = config.output.directory
    files = [None if directory is None else directory / PARQUET, config.statistics.prometheus_textfile, config.log.file]
    for file in files:
        if file is not None:
            turn.source.keep_apart(file)


def write_files(turn: Turn) -> None:
    """Write the anomalies, if there is a folder for them; nothing in a dry run."""
    directory = turn.request.config.output.directory
    if turn.request.dry_run or directory is None:
        return
    try:
        aside(partial(write_outputs, directory, turn.report.anomalies), turn.budget.left() + GRACE, "write")
    except Overdue:
        turn.find(OutputError.exit_code, f"cannot write to {directory}: the disk did not answer before the deadline")
    except OutputError as error:
        turn.find(OutputError.exit_code, str(error))
