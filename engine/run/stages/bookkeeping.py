"""What the sinks gathered, written once the alerts are out."""

from __future__ import annotations

from functools import partial

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.errors import RidgelineError


def finish_sinks(turn: Turn) -> None:
    """Let every sink finish, within the share for bookkeeping; what one fails at keeps no other back."""
    for sink in turn.sinks:
        try:
            aside(partial(sink.finish, turn), turn.budget.books_left(), "bookkeeping")
        except Overdue:
            turn.find(PARTIAL, f"the deadline came before {type(sink).__name__} had written what it gathered")
        except RidgelineError as error:
            turn.find(error.exit_code, str(error))
