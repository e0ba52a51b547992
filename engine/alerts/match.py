"""Which anomaly goes to which strategies, and to whom there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ridgeline.alerters import Alert, Status
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.links import fill_links
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import NOBODY, Strategy
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.score.anomaly import Anomaly


def match_rules(
    anomalies: Sequence[Anomaly], plan: Plan, now: float, status: Status = "firing"
) -> tuple[list[Item], int]:
    """One item per anomaly and strategy, and the number of anomalies that no rule matched; `now` in epoch seconds.

    Of the rules that name a strategy, the first that matches decides. What says `resolved` goes only where that is known.
    """
    ids = plan.anomaly_ids(anomalies) if status == "firing" else {}
    items: list[Item] = []
    unmatched = 0
    rules = deciding(plan.rows, [anomaly.metric for anomaly in anomalies])
    for anomaly, chosen in zip(anomalies, rules, strict=True):
        unmatched += not chosen
        for strategy, row in chosen.items():
            known = plan.strategies.get(strategy)
            if status == "resolved" and known is not None and not known.resolves:
                continue
            alert = _alert(anomaly, plan, row, strategy, ids.get((anomaly.metric, anomaly.timestamp)))
            items.append(Item(alert, row, status, since=now, due=now, backdated=anomaly.backdated))
    return list(_addressed(items, plan.strategies)), unmatched


def deciding(rows: Sequence[AlertRow], metrics: Sequence[str]) -> Iterator[dict[str, AlertRow]]:
    """For each metric the rule that decides, by strategy: of those that name it, the first that matches."""
    matched = Patterns(row.match for row in rows).matched(metrics)
    first = {strategy: np.full(len(metrics), -1) for row in rows for strategy in row.strategies}
    for place in reversed(range(len(rows))):  # a storm matches many rules: the last word is that of the first
        for strategy in rows[place].strategies:
            first[strategy][matched[place]] = place
    places = [(strategy, each.tolist()) for strategy, each in first.items()]
    for at in range(len(metrics)):
        yield {strategy: rows[each[at]] for strategy, each in places if each[at] >= 0}


def _alert(anomaly: Anomaly, plan: Plan, row: AlertRow, strategy: str, identity: str | None) -> Alert:
    """What an alert says of the anomaly and of the rule that chose it; its recipients are not yet known."""
    return Alert(
        metric=anomaly.metric,
        value=anomaly.value,
        timestamp=anomaly.timestamp,
        expected=anomaly.expected,
        algorithms=anomaly.algorithms,
        algorithms_run=anomaly.algorithms_run,
        channels=anomaly.channels or (),
        rule_score=anomaly.rule_score,
        negatives=bool(anomaly.negatives),
        first_seen=anomaly.first_seen,
        ongoing=bool(anomaly.ongoing),
        note=anomaly.note,
        rule=row.match,
        strategy=strategy,
        severity=row.severity,
        expiration=row.expiration,
        full_duration=plan.full_duration,
        links=fill_links(plan.links, anomaly.metric, anomaly.timestamp, plan.full_duration),
        anomaly_id=identity,
        external_id=row.external_id,
    )


def _addressed(items: Sequence[Item], strategies: Mapping[str, Strategy]) -> Iterator[Item]:
    """The items with their recipients: the rule's own, else all that match the metric, else the strategy's defaults."""
    personal = {name for name, strategy in strategies.items() if strategy.takes_recipients}
    metrics: dict[tuple[str, bool], list[str]] = {}
    for item in items if personal else ():
        metrics.setdefault((item.alert.strategy, item.external), []).append(item.alert.metric)
    found = {
        (name, external): recipients_of(some, strategies[name], external=external)
        for (name, external), some in metrics.items()
        if name in personal
    }
    if not found:
        yield from items
        return
    for item in items:
        by_metric = found.get((item.alert.strategy, item.external))
        if by_metric is None:
            yield item
            continue
        own = () if item.row is None else item.row.recipients
        everyone = own or by_metric[item.alert.metric]
        yield replace(item, alert=replace(item.alert, recipients=everyone))


def recipients_of(metrics: Sequence[str], strategy: Strategy, *, external: bool = False) -> dict[str, tuple[str, ...]]:
    """For each metric all recipients whose patterns match it, each once; the defaults where there are none.

    Mail of `external` alerts has no defaults, and goes to nobody then.
    """
    defaults = (NOBODY,) if external and strategy.mails else strategy.default_recipients
    hits = Patterns(pattern for pattern, _ in strategy.recipients).hits(metrics)
    return {
        metric: tuple(dict.fromkeys(one for at in matched for one in strategy.recipients[at][1])) or defaults
        for metric, matched in zip(metrics, hits, strict=True)
    }


def wanted(item: Item) -> bool:
    """Whether anybody is to have it: a recipient `no_email` stands for none."""
    return set(item.alert.recipients) != {NOBODY}
