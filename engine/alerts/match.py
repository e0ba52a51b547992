"""First stage: which anomaly goes to which strategies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.rules.matching import matcher
from ridgeline.engine.score.anomaly import Anomaly


def match_rows(anomalies: Iterable[Anomaly], rows: Sequence[AlertRow], full_duration: int) -> Iterator[Item]:
    """One item per anomaly and strategy: of the rows that name a strategy, the first that matches sets the expiration."""
    compiled = [(matcher(row.match), row) for row in rows]
    for anomaly in anomalies:
        chosen: dict[str, AlertRow] = {}
        for matches, row in compiled:
            if matches(anomaly.metric):
                for strategy in row.strategies:
                    chosen.setdefault(strategy, row)
        for strategy, row in chosen.items():
            yield Item(
                Alert(
                    metric=anomaly.metric,
                    value=anomaly.value,
                    timestamp=anomaly.timestamp,
                    algorithms=anomaly.algorithms,
                    algorithms_run=anomaly.algorithms_run,
                    full_duration=full_duration,
                    expiration=row.expiration,
                    strategy=strategy,
                )
            )
