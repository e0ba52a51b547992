"""What delivery goes by, the same for every run of one configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.lately import Lately
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.score.anomaly import Anomaly

Runs = tuple[int, int]
News = Callable[[Lately, str, float], bool]  # a metric's record, a strategy, and the size of what it is now


def _no_runs(_metric: str) -> Runs | None:
    return None


def _no_ids(_anomalies: Sequence[Anomaly]) -> Mapping[tuple[str, int], str]:
    return {}


def _everything(_metric: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Plan:
    """Rules, the strategies that they name, and limits.

    links          name and address, with places for the metric and its window
    full_duration  seconds of the window, for payloads
    m_of_n         of a metric by name, where its rule has none of its own
    second_order   whether an anomaly that lasts is news to a strategy; None: always
    anomaly_ids    Panorama's ids by (metric, timestamp), for payloads that carry them
    owns           whether this host sends what waits in the outbox for a metric (several hosts may share one state)
    host           which of them this is: part of the names of alerts about ourselves; empty where there is but one
    """

    rows: Sequence[AlertRow]
    strategies: Mapping[str, Strategy]
    delivery: Delivery = field(default_factory=Delivery)
    links: Sequence[tuple[str, str]] = ()
    full_duration: int = 86400
    m_of_n: Callable[[str], Runs | None] = _no_runs
    second_order: News | None = None
    anomaly_ids: Callable[[Sequence[Anomaly]], Mapping[tuple[str, int], str]] = _no_ids
    owns: Callable[[str], bool] = _everything
    host: str = ""

    def own(self, notice: str) -> str:
        """The name of an alert about ourselves, of this host's."""
        return f"{notice}.{self.host}" if self.host else notice

    def row(self, strategy: str, match: str) -> AlertRow | None:
        """The rule of this `match` that names the strategy; None if there is none any more."""
        return next((row for row in self.rows if row.match == match and strategy in row.strategies), None)
