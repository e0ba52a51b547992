"""First stage: which anomaly goes to which strategies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.score.anomaly import Anomaly


def match_rows(anomalies: Iterable[Anomaly], rows: Sequence[AlertRow], full_duration: int) -> Iterator[Item]:
    """One item per anomaly and strategy: of the rows that name a strategy, the first that matches sets the expiration."""
    found = list(anomalies)
    hits = Patterns(row.match for row in rows).hits([anomaly.metric for anomaly in found])
    for anomaly, matched in zip(found, hits, strict=True):
        chosen: dict[str, AlertRow] = {}
        for row in (rows[at] for at in matched):
            for strategy in row.strategies:
                chosen.setdefault(strategy, row)
        for strategy, row in chosen.items():
            yield Item(
                Alert(
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
                    full_duration=full_duration,
                    expiration=row.expiration,
                    rule=row.match,
                    strategy=strategy,
                )
            )
