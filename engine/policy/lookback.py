"""How alerts look back on the runs before, as a configuration says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from ridgeline.engine.alerts.lately import RESOLVE_AFTER, Lately, Seen, observe
from ridgeline.engine.alerts.second_order import out_of_rhythm, worth_another
from ridgeline.engine.rules.matching import Patterns

if TYPE_CHECKING:
    from ridgeline.engine.alerts.plan import News, Runs
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.alerts.strategy import Strategy
    from ridgeline.engine.rules.analysis import Analysis
    from ridgeline.engine.rules.overrides import Override
    from ridgeline.engine.score.anomaly import Anomaly

NATIVE: Final = "native"


class Alerting(Protocol):
    """What of a configuration says who is alerted: all of it, or `PagingRules`."""

    @property
    def analysis(self) -> Analysis:
        """`[analysis]`."""
        ...

    @property
    def overrides(self) -> Sequence[Override]:
        """`[[override]]`."""
        ...

    @property
    def alerts(self) -> Sequence[AlertRow]:
        """`[[alert]]`."""
        ...


def often(config: Alerting, metrics: Sequence[str]) -> dict[str, Runs]:
    """(m, n) of each metric that alerts only after m of n runs: the last override's that has one, else all metrics'."""
    usual = config.analysis.m_of_n
    found = {} if usual is None else dict.fromkeys(metrics, usual)
    own = [(one.match, one.m_of_n) for one in config.overrides if one.m_of_n is not None]
    hits = Patterns(match for match, _ in own).hits(metrics) if own else ()
    return found | {metric: own[some[-1]][1] for metric, some in zip(metrics, hits, strict=False) if some}


def longest(config: Alerting) -> int:
    """How many runs any m of n of the configuration looks back on."""
    runs = [config.analysis.m_of_n, *(one.m_of_n for one in config.overrides), *(row.m_of_n for row in config.alerts)]
    return max((one[1] for one in runs if one is not None), default=1)


def kept_runs(config: Alerting, strategies: Iterable[Strategy]) -> int:
    """After how many normal runs a metric's past no longer matters to any rule or strategy."""
    return max(longest(config), RESOLVE_AFTER, *(strategy.resolve_after for strategy in strategies))


def second_order(config: Alerting) -> News | None:
    """The rule that says what is news; None where everything is."""
    if not config.analysis.second_order:
        return None
    return worth_another if config.analysis.profile == NATIVE else out_of_rhythm


def looked_at(
    before: Mapping[str, Lately],
    anomalies: Iterable[Anomaly],
    normal: Iterable[Anomaly],
    keep: int,
    *,
    triggers: bool = False,
) -> dict[str, Lately]:
    """The records after this run, of the metrics that it judged.

    `keep`: how many runs m of n looks back on. `triggers`: whether Skyline's second order is asked for.
    """
    after: dict[str, Lately] = {}
    for anomalous, some in ((True, anomalies), (False, normal)):
        for one in some:
            record = observe(before.get(one.metric), _seen(one, anomalous=anomalous), keep=keep, triggers=triggers)
            if record is not None:
                after[one.metric] = record
    return after


def _seen(one: Anomaly, *, anomalous: bool) -> Seen:
    if not anomalous:
        return Seen(one.timestamp, one.value, anomalous=False)
    from ridgeline.alerters import Alert

    size = Alert(one.metric, one.value, one.timestamp, one.expected).size
    return Seen(one.timestamp, one.value, anomalous, one.votes, size, one.algorithms)
