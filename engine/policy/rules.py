"""All of a configuration that decides who is paged, without an address or a secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.plan import Plan, Runs
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.second_order import worth_another
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.config.model import Config
from ridgeline.engine.policy.lookback import kept_runs, often, second_order
from ridgeline.engine.policy.silent import silent_strategies
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override

_DELIVERY = ("retry_for", "group_above")


@dataclass(frozen=True, slots=True)
class PagingRules:
    """What delivery goes by when history is replayed: `[analysis]`, overrides, rules, their strategies, `[delivery]`."""

    analysis: Analysis
    overrides: tuple[Override, ...]
    alerts: tuple[AlertRow, ...]
    strategies: Mapping[str, Strategy]
    delivery: Delivery

    @classmethod
    def of(cls, config: Config) -> Self:
        """Those of a configuration. Rules of others' services are not asked for: nobody knows what they were."""
        used = [name for row in config.alerts for name in row.strategies]
        strategies = silent_strategies(config.alerters.settings, used)
        return cls(config.analysis, tuple(config.overrides), tuple(config.alerts), strategies, config.delivery)

    @property
    def keep(self) -> int:
        """After how many normal runs a metric's past no longer matters."""
        return kept_runs(self, self.strategies.values())

    @property
    def asks_size(self) -> bool:
        """Whether it matters how far beyond its expected range an anomaly lies."""
        return second_order(self) is worth_another

    def plan(self) -> Plan:
        """What the stages of delivery go by."""
        known: dict[str, Runs | None] = {}

        def runs(metric: str) -> Runs | None:
            if metric not in known:
                known[metric] = often(self, [metric]).get(metric)
            return known[metric]

        plan = Plan(self.alerts, self.strategies, self.delivery, full_duration=self.analysis.full_duration)
        return replace(plan, m_of_n=runs, second_order=second_order(self))

    def describe(self) -> dict[str, Any]:
        """What decides pages, as JSON."""
        return {
            "alerts": [_row(row) for row in self.alerts],
            "strategies": {name: _strategy(strategy) for name, strategy in self.strategies.items()},
            "delivery": {name: getattr(self.delivery, name) for name in _DELIVERY},
            "m_of_n": self.analysis.m_of_n,
            "second_order": self.analysis.second_order,
        }


def _row(row: AlertRow) -> dict[str, Any]:
    found = asdict(replace(row, schedule=None))
    hours = row.schedule
    if hours is not None:
        found["schedule"] = {"days": hours.days, "from": hours.start, "to": hours.end, "timezone": hours.zone.key}
    return found


def _strategy(strategy: Strategy) -> dict[str, Any]:
    """What of a strategy decides how many messages it gets, and when; addresses of people are left out."""
    named = ("kind", "groups", "resolves", "renews", "resolve_after")
    return {name: getattr(strategy, name) for name in named}
