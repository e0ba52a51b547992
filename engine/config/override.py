"""Reads `[[override]]`, and the mappings that stand for it in the Python API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ridgeline.engine.config.cutoffs import read_cutoffs
from ridgeline.engine.config.often import read_m_of_n
from ridgeline.engine.config.problems import ConfigError, Problems
from ridgeline.engine.config.reader import Table
from ridgeline.engine.rules.judgement import RULES
from ridgeline.engine.rules.overrides import DIRECTIONS, Override, impossible
from ridgeline.engine.rules.policy import MOST_VOTES, MOST_WINDOW_POINTS, Policy, threshold_fault


def read_override(table: Table, algorithms: Sequence[str]) -> Override | None:
    """Read one `[[override]]` table (or one mapping given to `ridgeline.score`); None if it has no pattern."""
    match = table.pattern("match")
    if match is None and "match" not in table:
        table.refuse("match", 'is missing: name the metrics that this override is for (".*" for all)')
    cutoffs = read_cutoffs(table, algorithms, None)
    thresholds = table.table("thresholds")
    limits = {name: _limit(thresholds, name) for name in algorithms}
    override = Override(
        match or "",
        consensus=table.integer("consensus", None, low=1, high=MOST_VOTES),
        algorithms=table.choices("algorithms", algorithms, None, "algorithm"),
        thresholds=tuple((name, limit) for name, limit in limits.items() if limit is not None),
        direction=table.choice("direction", DIRECTIONS, None),
        min_change=table.number("min_change", None),
        min_change_relative=table.number("min_change_relative", None),
        stale_period=table.duration("stale_period", None),
        full_duration=table.duration("full_duration", None),
        resolution_aware=table.boolean("resolution_aware", None),
        min_window_points=table.integer("min_window_points", None, low=0, high=MOST_WINDOW_POINTS),
        rule=table.choice("rule", RULES, None),
        rule_threshold=table.number("rule_threshold", None, above=True),
        cutoffs=cutoffs,
        m_of_n=read_m_of_n(table),
    )
    thresholds.finish()
    table.finish()
    return override if match is not None else None


def _limit(thresholds: Table, name: str) -> float | None:
    limit = thresholds.number(name, None, above=True)
    fault = None if limit is None else threshold_fault(name, limit)
    if fault is not None:
        thresholds.refuse(name, fault)
    return limit


def read_overrides(
    entries: Iterable[Mapping[str, Any]], algorithms: Sequence[str], base: Policy
) -> tuple[Override, ...]:
    """Read overrides given as mappings, with the keys of `[[override]]`. Raises ConfigError with all problems."""
    problems = Problems()
    found: list[Override] = []
    for at, entry in enumerate(entries):
        plain = {key: list(value) if isinstance(value, tuple) else value for key, value in entry.items()}
        override = read_override(Table(plain, ("overrides", at), problems), algorithms)
        if override is not None:
            found.append(override)
    if not problems.found:
        for at, text in impossible(base, found):
            problems.add(("overrides", at, "consensus"), text)
    if problems.found:
        raise ConfigError("", problems.found)
    return tuple(found)
