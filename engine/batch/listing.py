"""Which metrics fail, for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ridgeline.engine.batch.keys import plainly, redis_of
from ridgeline.engine.run.handoffs.batch_failing import read_parked
from ridgeline.engine.run.stages.bookkeeping import ledger_of
from ridgeline.io.errors import InputError
from ridgeline.io.state.as_ledger import StateLedger
from ridgeline.io.state.in_sqlite import SqliteState

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.run.handoffs.batch_failing import Parked

PATIENCE = 10.0  # seconds for Redis to answer


def list_parked_of(state: Path) -> list[Parked]:
    """Those that a state file remembers, by name. Raises InputError where there is none, StateError."""
    if not state.is_file():
        raise InputError(f"there is no state file {state}: `ridgeline batch --input` makes it")
    ledger = StateLedger(SqliteState(state))
    try:
        return [one for _, one in sorted(read_parked(ledger).items())]
    finally:
        ledger.close()


def list_parked(config: Config) -> list[Parked]:
    """The metrics that fail, by name. Raises InputError, SourceUnavailable, AuthenticationFailed."""
    settings = redis_of(config)
    ledger = ledger_of(settings, lambda: PATIENCE)
    try:
        with plainly(settings):
            return [one for _, one in sorted(read_parked(ledger).items())]
    finally:
        ledger.close()
