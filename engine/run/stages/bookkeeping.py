"""The books: opened before anything is read, what the sinks gathered written once the alerts are out."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.errors import RidgelineError
from ridgeline.io.state.interface import StateError

TIMEOUT: Final = 2.0  # seconds for one answer


def open_ledger(turn: Turn) -> None:
    """Let the run share keys with siblings, where it reads from Redis and keeps books. Nothing is connected yet."""
    config = turn.request.config
    if turn.request.dry_run or config.source.kind != "redis" or not config.analysis.bookkeeping:
        return
    from ridgeline.io.redis.ledger import Ledger

    settings = config.source.settings
    brisk = replace(settings, timeout=min(settings.timeout, TIMEOUT), retries=0, connect_budget=TIMEOUT)
    turn.ledger = Ledger(brisk, turn.budget.books_left)
    turn.cleanup.callback(turn.ledger.close)


def finish_sinks(turn: Turn) -> None:
    """Let every sink finish, within the share for bookkeeping; what one fails at keeps no other back."""
    for sink in turn.sinks:
        try:
            aside(partial(sink.finish, turn), turn.budget.books_left(), "bookkeeping")
        except Overdue:
            turn.find(PARTIAL, f"the deadline came before {type(sink).__name__} had written what it gathered")
        except RidgelineError as error:
            turn.find(error.exit_code, str(error))


def write_books(turn: Turn) -> None:
    """Write all that is for siblings, in a few round trips. What cannot be written is one problem of the run's."""
    if turn.ledger is None or not turn.entries.entries:
        return
    try:
        aside(partial(turn.ledger.write, turn.entries), turn.budget.books_left(), "books")
    except Overdue:
        turn.find(PARTIAL, "the deadline came before all that siblings read was written to Redis")
    except StateError as error:
        turn.find(PARTIAL, str(error))
