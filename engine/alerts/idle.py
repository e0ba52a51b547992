"""Rules that can match nothing, as far as the configuration's own words tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.rules.pattern import UNIVERSAL

SIGNS: Final = frozenset("\\^$*+?{}[]|()")  # of an expression; the dot stands in every name


def idle_rules(rows: Sequence[AlertRow], skip: Sequence[str]) -> Iterator[str]:
    """One sentence for each rule that is in vain: its metrics are skipped, or rules above it decide about them.

    What cannot be told without the names of metrics is left to the run, whose summary lists patterns without a metric.
    """
    above: dict[str, list[str]] = {}  # the patterns of the rules above, by strategy
    for row in rows:
        skipped = _first(skip, row.match)
        if skipped is not None:
            yield f'the [[alert]] "{row.match}" is in vain: [analysis] skip leaves out "{skipped}"'
        for strategy in row.strategies:
            earlier = above.setdefault(strategy, [])
            decider = _first(earlier, row.match)
            if decider is not None and skipped is None:
                yield f'the [[alert]] "{row.match}" is in vain for {strategy}: "{decider}" stands above it and decides'
            earlier.append(row.match)


def _first(patterns: Sequence[str], later: str) -> str | None:
    """The first of the patterns that matches whatever holds `later`."""
    return next((pattern for pattern in patterns if _covers(pattern, later)), None)


def _covers(pattern: str, later: str) -> bool:
    """Whether a pattern surely matches the names that the later one is meant for."""
    return pattern in UNIVERSAL or pattern == later or (pattern in later and SIGNS.isdisjoint(later))
