"""The alert about ourselves: nothing, or almost nothing, was heard from the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.rule import AlertRow

METRIC = "ridgeline.no_data"


def no_data_items(
    message: str, value: float, as_of: int, rows: Sequence[AlertRow], expiration: int = 3600
) -> Iterator[Item]:
    """One item for every strategy that any row names, through the same stages as anomalies.

    `message` says what is missing; `value` is the number of metrics heard; suppressed by `expiration` of its own.
    """
    strategies = dict.fromkeys(strategy for row in rows for strategy in row.strategies)
    for strategy in strategies:
        yield Item(Alert(METRIC, value, as_of, expiration=expiration, strategy=strategy, message=message))
