"""What Skyline found last, from the keys that it leaves in Redis."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ridgeline.engine.run.books.anomalous import KEPT, REAL
from ridgeline.engine.run.books.members import of_triple
from ridgeline.engine.run.books.series import COUNTERS
from ridgeline.io.errors import NoData, SourceUnavailable
from ridgeline.io.redis.ledger import Filled, Members
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.io.redis.ledger import Ledger

SETS: Final = ("boring", "stale", "too_short")  # outcomes that it tells, each of the period before
_UPDATED: Final = re.compile(r"_updated_at_(\d{14})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The metrics of one outcome, and when that was written, epoch seconds; None where it is not told."""

    metrics: frozenset[str]
    updated_at: int | None


@dataclass(frozen=True, slots=True)
class Theirs:
    """The newest results: of the run at `epoch`, the metrics that it found anomalous; outcomes that it told by then.

    `counters`: the metrics that it takes for some.
    """

    epoch: int
    anomalous: frozenset[str]
    outcomes: dict[str, Outcome]
    counters: frozenset[str]


def find_theirs(ledger: Ledger, namespace: str, now: int) -> Theirs:
    """The newest results of the last `KEPT` seconds before `now`; `namespace`: what stands before a metric in a key.

    Raises NoData where there are none, SourceUnavailable where Redis does not answer or refuses.
    """
    epochs = range(now, now - KEPT, -1)
    sets = [f"aet.analyzer.{name}" for name in SETS]
    try:
        filled, *told = ledger.ask(Filled([f"{REAL}.{epoch}" for epoch in epochs]), *map(Members, sets))
        epoch = next((epoch for epoch, there in zip(epochs, filled, strict=True) if there), None)
        if epoch is None:
            raise NoData(
                f"Skyline left no results in this Redis within {KEPT // 60} minutes ({REAL}.<epoch>): it found no anomaly, "
                "does not run, or writes to another Redis"
            )
        members, counters = ledger.ask(Members(f"{REAL}.{epoch}"), Members(COUNTERS))
    except StateError as error:
        raise SourceUnavailable(f"Skyline's results cannot be read: {error}") from error
    outcomes = {name: _outcome(found) for name, found in zip(SETS, told, strict=True) if found}
    known = frozenset(key.removeprefix(namespace) for key in counters if key.startswith(namespace))
    return Theirs(epoch, frozenset(_anomalous(members)), outcomes, known)


def _anomalous(members: Iterable[str]) -> Iterable[str]:
    """The metric of each `[value, metric, timestamp]`; what is no such text is passed over."""
    for member in members:
        metric = of_triple(member)
        if metric is not None:
            yield metric


def _outcome(members: Iterable[str]) -> Outcome:
    metrics, updated = set(), None
    for member in members:
        at = _UPDATED.fullmatch(member)
        if at is None:
            metrics.add(member)
        else:
            updated = _epoch(at[1])
    return Outcome(frozenset(metrics), updated)


def _epoch(text: str) -> int | None:
    try:
        return timegm(datetime.strptime(text, "%Y%m%d%H%M%S").timetuple())  # noqa: DTZ007 - Skyline's hosts keep UTC
    except ValueError:
        return None
