"""The configuration that a backtest's steps were judged by, read back from its manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from ridgeline.alerters import load
from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.match import deciding
from ridgeline.engine.alerts.rule import EXPIRATION, AlertRow
from ridgeline.engine.alerts.schedule import Schedule
from ridgeline.engine.alerts.strategy import Strategy, without_table
from ridgeline.engine.policy.lookback import often
from ridgeline.engine.policy.rules import PagingRules
from ridgeline.engine.policy.silent import Silent, silent_strategies
from ridgeline.engine.prepare.plan import Preparation
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override, Overrides
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.tune.history import AGAIN, History
from ridgeline.io.errors import InputError

CONSOLE: Final = "console"
EVERYTHING: Final = (AlertRow(".", (CONSOLE,)),)


@dataclass(frozen=True, slots=True)
class Lane:
    """How alerts about a metric go to some of its strategies: the expiration in seconds, m of n, and how many there are."""

    expiration: int
    m_of_n: tuple[int, int]
    strategies: int


@dataclass(frozen=True, slots=True)
class Configured:
    """What decided a backtest: who was judged how, and who is told of it.

    `assumed`: it has no rule of alerting, and everything is taken to go to the console.
    """

    analysis: Analysis
    policy: Policy
    overrides: tuple[Override, ...]
    alerts: tuple[AlertRow, ...]
    preparation: Preparation
    strategies: Mapping[str, Strategy]
    delivery: Delivery
    assumed: bool = False

    @classmethod
    def of(cls, history: History) -> Configured:
        """The configuration of a backtest. Raises InputError where its manifest is of another version."""
        said = history.manifest["configuration"]
        try:
            policy = Policy(**_tupled(said["policy"]))
            overrides = tuple(Override(**_tupled(one)) for one in said["overrides"])
            alerts = tuple(_row(one) for one in said["alerts"])
            strategies = {name: Strategy(name, Silent(), **some) for name, some in said["strategies"].items()}
            delivery = Delivery(**said["delivery"])
            analysis = _analysis(said, policy)
            preparation = Preparation(**_tupled(said["plan"]["preparation"]))
        except (TypeError, KeyError, ValueError) as error:
            raise InputError(f"{history.folder}/manifest.json is of another version of Ridgeline: {AGAIN}") from error
        if not alerts:
            strategies = silent_strategies([without_table(CONSOLE, load()[CONSOLE])], [CONSOLE])
        return cls(
            analysis, policy, overrides, alerts or EVERYTHING, preparation, strategies, delivery, assumed=not alerts
        )

    def policies(self, metrics: list[str]) -> list[Policy]:
        """How each metric is judged."""
        rules = Overrides(self.policy, self.overrides)
        places = rules.assign(metrics)
        return [self.policy] * len(metrics) if places is None else [rules.policies[at] for at in places.tolist()]

    def paging(self) -> PagingRules:
        """What delivery goes by when steps that were judged are replayed."""
        return PagingRules(self.analysis, self.overrides, self.alerts, self.strategies, self.delivery)

    def lanes(self, metrics: list[str]) -> list[list[Lane]]:
        """How each metric's alerts go out, the shortest expiration first; where nobody is told, as if one strategy of none."""
        runs = often(self, metrics)
        found: list[list[Lane]] = []
        for metric, chosen in zip(metrics, deciding(self.alerts, metrics), strict=True):
            usual = runs.get(metric) or (1, 1)
            ways = [(row.expiration, row.m_of_n or usual) for row in chosen.values()]
            lanes = [Lane(*way, ways.count(way)) for way in sorted(set(ways))]
            found.append(lanes or [Lane(EXPIRATION, usual, 0)])
        return found


def _analysis(said: Mapping[str, Any], policy: Policy) -> Analysis:
    plan = said["plan"]
    known = (*algorithm_names(), *plan["user"])
    m_of_n = said.get("m_of_n")
    return Analysis(
        full_duration=plan["window"],
        consensus=policy.consensus,
        profile=plan["profile"],
        stale_period=policy.stale_period,
        algorithms=policy.algorithms if set(policy.algorithms) != set(known) else (),
        modules=_tupled(said.get("modules", ())),
        skip=_tupled(said.get("skip", ())),
        second_order=said.get("second_order", False),
        m_of_n=None if m_of_n is None else (m_of_n[0], m_of_n[1]),
        resolution_aware=policy.resolution_aware,
        min_window_points=policy.min_window_points,
        rule=policy.rule,
        rule_threshold=policy.rule_threshold,
        cutoffs=policy.cutoffs,
    )


def _row(said: Mapping[str, Any]) -> AlertRow:
    found = {**_tupled(said), "schedule": None}
    hours = said.get("schedule")
    row = AlertRow(**found)
    if hours is None:
        return row
    schedule = Schedule(tuple(hours["days"]), hours["from"], hours["to"], ZoneInfo(hours["timezone"]))
    return AlertRow(**{**found, "schedule": schedule})


def _tupled(value: Any) -> Any:
    """What JSON made lists of, as tuples again."""
    if isinstance(value, list):
        return tuple(map(_tupled, value))
    if isinstance(value, dict):
        return {key: _tupled(one) for key, one in value.items()}
    return value
