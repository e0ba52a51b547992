"""Files of a judged piece: whole before anything of it is recorded in Redis, and the same again where it is repeated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.handoffs.folder import Checks
from ridgeline.engine.run.handoffs.panorama import check_of
from ridgeline.engine.run.handoffs.pythonic import value_of

if TYPE_CHECKING:
    from ridgeline.engine.batch.record import Entry

APP: Final = "analyzer_batch"


def tell_panorama(entry: Entry, folder: Path, now: int, host: str) -> None:
    """Write a check for each anomaly of a metric, named by its own timestamp. Raises OutputError."""
    checks = Checks(folder)
    for anomaly, start in zip(entry.anomalies, entry.starts, strict=True):
        check = check_of(anomaly, value_of(anomaly.value, entry.integers), start, now, host, APP)
        checks.put(str(anomaly.timestamp), anomaly.metric, check)


def unwritten(entry: Entry) -> Entry:
    """What is recorded of a metric whose files could not be written: people hear of it, and it stays to be done again."""
    return replace(entry, mark=None, analysed=(), members=(), census=None, was_parked=False, done=False, unwritten=True)
