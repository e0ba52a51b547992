"""How many events each program analysed today, by namespace: `manage` and the web application add the days up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.turn import Turn
from ridgeline.io.redis.entries import Entries

EVENTS: Final = "namespace.analysed_events"
APP: Final = "analyzer"
KEPT: Final = 15 * 86400  # seconds


def write_events(turn: Turn, judged: Judged, past: Past) -> None:  # noqa: ARG001 - what all families are given
    """Count the metrics that were analysed, for the run's day."""
    count_events(turn.entries, events_key(APP, turn.as_of), judged.namespaces("analysed"))


def events_key(app: str, now: float) -> str:
    """Where a program counts on the day, UTC, of `now`, epoch seconds."""
    return f"{EVENTS}.{app}.{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"


def count_events(entries: Entries, key: str, counts: Mapping[str, int]) -> None:
    """Add the events of each namespace to a day's."""
    if counts:
        entries.count(key, counts)
        entries.expire(key, KEPT)
