"""What is still told of a run that breaks off: an operator who watches numbers and logs must see that it failed."""

from __future__ import annotations

import contextlib
import traceback
from typing import Final

from ridgeline.engine.run.stages.log import write_log
from ridgeline.engine.run.stages.statistics import write_textfile
from ridgeline.engine.run.turn import BUG, PARTIAL, Turn
from ridgeline.io.errors import LockHeld, RidgelineError, UnsafeTarget
from ridgeline.io.text import escape, redact

INTERRUPTED: Final = 130
LATE: Final = 1.0  # seconds after the deadline: whoever stops a run then is the watchdog


def tell_of_breaking_off(turn: Turn, error: BaseException) -> None:
    """Write textfile and log of a run that this error ends. Raises nothing: the error itself is what is to be seen.

    A run that found another at work leaves that one's numbers alone. One that was to write where it must not writes
    nothing at all.
    """
    if isinstance(error, UnsafeTarget):
        return
    turn.break_off(*_cause(turn, error))
    for tell in (write_log,) if isinstance(error, LockHeld) else (write_textfile, write_log):
        with contextlib.suppress(Exception):
            tell(turn)


def _cause(turn: Turn, error: BaseException) -> tuple[int, str]:
    """The exit code that the process will have, and why."""
    if isinstance(error, RidgelineError):
        return error.exit_code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "the run was interrupted"
    if isinstance(error, SystemExit):
        if turn.budget.left() < -LATE:
            return PARTIAL, "the run did not end by its deadline and was stopped"
        return error.code if isinstance(error.code, int) else int(error.code is not None), "the run was told to stop"
    turn.report.traceback = redact("".join(traceback.format_exception(error)))
    return BUG, f"this is a bug: {escape(redact(f'{type(error).__name__}: {error}'))}"
