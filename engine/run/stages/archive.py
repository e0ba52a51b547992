"""The archive: opened before anything is read, what the run found new written once the alerts are out."""

from __future__ import annotations

from functools import partial
from typing import Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.errors import InputError, LockHeld, OutputError, RidgelineError, SourceUnavailable

OPENING: Final = 0.15  # of the time for reading, and at most so many seconds:
MOST: Final = 8.0
KEPT: Final = 0.5  # seconds of the end, for outputs and statistics


def open_archive(turn: Turn) -> None:
    """Lock the archive and learn how far each metric is archived, if the run is to archive at all.

    Where that fails the run goes on without, and says so. Raises InputError or UnsafeTarget for a folder that must not
    be one.
    """
    request = turn.request
    directory = request.config.archive.directory
    if not request.archive or request.dry_run or directory is None or turn.source is None:
        return
    from ridgeline.engine.run.archiving import Archiving

    turn.source.keep_apart(directory / "day=1970-01-01" / "any.parquet")
    seconds = min(MOST, OPENING * max(turn.budget.reading_left(), 0.0))
    turn.archive = Archiving(request.config, turn.as_of, turn.budget.clock, seconds)
    turn.cleanup.callback(turn.archive.abandon)
    try:
        turn.sinks.append(aside(turn.archive.open, seconds, "archive"))
    except Overdue:
        turn.find(OutputError.exit_code, f"nothing is archived: the disk of {directory} did not answer in time")
    except LockHeld as held:
        turn.warn(f"nothing is archived by this run, the next one makes up for it: {held}")
    except (OutputError, InputError, SourceUnavailable) as error:
        turn.find(OutputError.exit_code, f"nothing is archived: {error}")


def write_archive(turn: Turn) -> None:
    """Write what is new; what there is no time for comes with the next run."""
    if turn.archive is None or turn.archive.gathering is None:
        return
    gathering = turn.archive.gathering
    left = turn.budget.left() - KEPT
    if left <= 0:  # nothing is begun that nobody waits for
        turn.find(PARTIAL, "the new points of this run are not archived yet: its deadline left no time for it")
        return
    end = turn.budget.clock() + left
    work = partial(turn.archive.during, lambda: gathering.write(lambda: end - turn.budget.clock()))
    try:
        outcome = aside(work, left, "archive")
    except Overdue:
        turn.find(OutputError.exit_code, "the archive is behind: its disk did not answer before the deadline")
        return
    except RidgelineError as error:
        turn.find(OutputError.exit_code, f"the archive is behind: {error}")
        return
    turn.report.archive = outcome.as_json()
    for problem in outcome.problems:
        turn.warn(problem)
    if outcome.waiting:
        turn.find(
            PARTIAL,
            f"the new points of {outcome.waiting:,} metrics are not archived yet, for want of time or memory: later runs go "
            "on, and `ridgeline export` does it at once",
        )
