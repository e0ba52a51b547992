"""How many metrics of each namespace were analysed today: `metrics_manager` and the web application add the days up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.turn import Turn

EVENTS: Final = "namespace.analysed_events.analyzer"
KEPT: Final = 15 * 86400  # seconds


def write_events(turn: Turn, judged: Judged, past: Past) -> None:  # noqa: ARG001 - what all families are given
    """Count the metrics that were analysed by what stands before the first dot of their names, for the run's day, UTC."""
    counts = Counter(metric.partition(".")[0] for metric in judged.with_outcome("analysed"))
    if counts:
        key = f"{EVENTS}.{datetime.fromtimestamp(turn.as_of, UTC):%Y-%m-%d}"
        turn.entries.count(key, counts)
        turn.entries.expire(key, KEPT)
