"""The alert rules, as Skyline's siblings compare them from run to run."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.turn import Turn

RULES: Final = "analyzer.last_all_alerts"


def write_rules(turn: Turn, judged: Judged, past: Past) -> None:  # noqa: ARG001 - what all families are given
    """Write the rules that were gone by, those of others' services included, as the repr of a sorted list.

    Of several hosts the first does.
    """
    if turn.share.first:
        turn.entries.set(RULES, repr(as_tuples(turn.rules)))


def as_tuples(rows: Iterable[AlertRow]) -> list[list[Any]]:
    """Skyline's alert tuples by pattern: [pattern, alerter, expiration], and the hours of second order where there are any."""
    told: list[list[Any]] = [
        [row.match, strategy, row.expiration, *([row.second_order_hours] if row.second_order_hours else [])]
        for row in rows
        for strategy in row.strategies
    ]
    return sorted(told, key=itemgetter(0))
