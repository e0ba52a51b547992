"""Which metrics fail, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ridgeline.engine.batch.keys import plainly, redis_of
from ridgeline.engine.run.handoffs.batch_failing import read_parked
from ridgeline.engine.run.stages.bookkeeping import ledger_of

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.run.handoffs.batch_failing import Parked

PATIENCE = 10.0  # seconds for Redis to answer


def list_parked(config: Config) -> list[Parked]:
    """The metrics that fail, by name. Raises InputError, SourceUnavailable, AuthenticationFailed."""
    settings = redis_of(config)
    ledger = ledger_of(settings, lambda: PATIENCE)
    try:
        with plainly(settings):
            return [one for _, one in sorted(read_parked(ledger).items())]
    finally:
        ledger.close()
