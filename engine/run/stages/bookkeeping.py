"""The books: opened before anything is read, what the sinks gathered written once the alerts are out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.errors import RidgelineError
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.io.redis.ledger import Ledger
    from ridgeline.io.redis.settings import RedisSettings

LATE: Final = "the deadline came before all that siblings read was written to Redis"
TIMEOUT: Final = 2.0  # seconds for one answer


def open_ledger(turn: Turn) -> None:
    """Let the run share keys with siblings and operators, where it reads from Redis. Nothing is connected yet.

    What operators say is heard in any case; books are kept unless it is a dry run, or they are switched off.
    """
    config = turn.request.config
    if config.source.kind != "redis":
        return
    from ridgeline.engine.run.skips import OperatorSkips

    ledger = ledger_of(config.source.settings, turn.budget.books_left)
    turn.cleanup.callback(ledger.close)
    turn.siblings = ledger
    turn.operators = OperatorSkips(ledger, turn.now, turn.unkept.append)
    if not turn.request.dry_run and config.analysis.bookkeeping:
        turn.ledger = ledger
        if not turn.request.check_airgaps_only:
            from ridgeline.engine.run.books.series import SeriesBooks
            from ridgeline.engine.run.books.sink import BooksSink

            turn.sinks += [BooksSink(), SeriesBooks(config.analysis.full_duration)]


def ledger_of(settings: RedisSettings, left: Callable[[], float]) -> Ledger:
    """A ledger that waits for no answer for long: `left` tells the seconds that there are in all."""
    from ridgeline.io.redis.ledger import Ledger

    brisk = replace(settings, timeout=min(settings.timeout, TIMEOUT), retries=0, connect_budget=TIMEOUT)
    return Ledger(brisk, left, token_hex(4))


def finish_sinks(turn: Turn) -> None:
    """Let every sink finish, within the share for bookkeeping; what one fails at keeps no other back."""
    for sink in turn.sinks:
        try:
            aside(partial(sink.finish, turn), turn.budget.books_left(), "bookkeeping")
        except Overdue:
            turn.find(PARTIAL, f"the deadline came before {type(sink).__name__} had written what it gathered")
        except StateError as error:
            turn.unkept.append(error)
        except RidgelineError as error:
            turn.find(error.exit_code, str(error))


def write_books(turn: Turn) -> None:
    """Write all that is for siblings, in a few round trips. What cannot be read or written is one problem of the run's."""
    if turn.ledger is not None:
        _write(turn, turn.ledger)
    if turn.unkept:
        turn.find(PARTIAL, str(turn.unkept[0]))


def _write(turn: Turn, ledger: Ledger) -> None:
    if turn.of_the_fleet:
        from ridgeline.engine.run.books.totals import write_totals

        write_totals(turn)
    left = turn.budget.books_left()
    if left <= 0:  # nothing is begun that nobody waits for
        turn.find(PARTIAL, LATE)
        return
    try:
        aside(partial(ledger.write, turn.entries), left, "books")
    except Overdue:
        turn.find(PARTIAL, LATE)
    except StateError as error:
        turn.unkept.append(error)
