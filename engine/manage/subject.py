"""What the steps of a pass go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.config.model import Config
from ridgeline.engine.manage.fleet import Fleet
from ridgeline.engine.manage.matches import Matches
from ridgeline.engine.manage.reading import Reading
from ridgeline.engine.rules.pattern import is_plain

MAIL: Final = "smtp"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The configuration, the names, and what Redis says; `now`: epoch seconds.

    rules   of alerts, those of other services included; None: not known
    """

    config: Config
    rules: Sequence[AlertRow] | None
    fleet: Fleet
    matches: Matches
    reading: Reading
    now: int


def patterns(config: Config, rules: Sequence[AlertRow]) -> Iterator[str]:
    """Every pattern that a step asks about."""
    yield from (row.match for row in rules)
    yield from feedback(config)
    yield from config.analysis.skip
    yield from config.preparation.patterns
    yield from (override.match for override in config.overrides if override.stale_period is not None)
    if config.stale_digest is not None:
        yield from config.stale_digest.exclude


def mail_strategies(config: Config) -> frozenset[str]:
    """The strategies that send mail."""
    return frozenset(name for name, channel, _ in config.alerters.settings if channel.kind == MAIL)


def feedback(config: Config) -> tuple[str, ...]:
    """What names of metrics about monitoring itself hold: this server's name in Graphite, and Graphite's host."""
    statistics = config.statistics
    host = statistics.graphite[0] if statistics.graphite is not None else ""
    return tuple(name for name in (statistics.name, host) if name and is_plain(name))
