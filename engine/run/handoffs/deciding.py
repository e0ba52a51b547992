"""Which alert rules decide about a metric: of those that match, the first of each strategy."""

from __future__ import annotations

from collections.abc import Sequence

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.rules.matching import Patterns


def deciding_rules(rows: Sequence[AlertRow], metrics: Sequence[str]) -> dict[str, list[AlertRow]]:
    """For each metric its rules, in the order of the file."""
    hits = Patterns(row.match for row in rows).hits(metrics)
    found: dict[str, list[AlertRow]] = {}
    for metric, matched in zip(metrics, hits, strict=True):
        chosen: dict[str, AlertRow] = {}
        for at in matched:
            for strategy in rows[at].strategies:
                chosen.setdefault(strategy, rows[at])
        found[metric] = list(chosen.values())
    return found
