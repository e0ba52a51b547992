"""Anomalies, as taken from verdict rows: what outputs list and alerts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FACTS = ("metric", "datapoint", "timestamp", "votes", "negatives")
NO_VOTES = {"anomalous", "negatives"}  # columns of truth values that are no algorithm's


@dataclass(frozen=True, slots=True)
class Anomaly:
    """One anomalous metric: its newest value and time stamp, and the algorithms that voted True.

    algorithms_run   those that voted at all
    first_seen       epoch seconds of the incident's first anomalous point
    ongoing          whether an earlier run found it too
    negatives        whether the window holds values below zero
    expected         (low, high) in the metric's unit: where the newest value would have been nothing remarkable
    channels         what spoke, under a rule other than consensus
    rule_score       that rule's largest score over the run's new points, > 1 = anomalous
    second_stage     what a longer history says of it: "confirmed", "not_confirmed", "unknown"
    handed_to        who looks at it before anybody is alerted: "mirage"
    note             what else people should know, in words
    backdated        whether its expiration goes by its own timestamp: it was found late

    What is not known is None.
    """

    metric: str
    value: float
    timestamp: int
    votes: int
    algorithms: tuple[str, ...]
    algorithms_run: tuple[str, ...] = ()
    first_seen: int | None = None
    ongoing: bool | None = None
    negatives: bool | None = None
    expected: tuple[float, float] | None = None
    channels: tuple[str, ...] | None = None
    rule_score: float | None = None
    second_stage: str | None = None
    handed_to: str | None = None
    note: str = ""
    backdated: bool = False


def anomalies_of(verdicts: Any) -> list[Anomaly]:
    """The anomalous rows of a verdict table or batch, in its order."""
    import pyarrow as pa

    names = [field.name for field in verdicts.schema if pa.types.is_boolean(field.type) and field.name not in NO_VOTES]
    anomalous = verdicts.filter(verdicts.column("anomalous")).select([*FACTS, *names])
    return [
        Anomaly(
            row["metric"],
            row["datapoint"],
            row["timestamp"],
            row["votes"],
            tuple(name for name in names if row[name]),
            tuple(name for name in names if row[name] is not None),
            negatives=row["negatives"],
        )
        for row in anomalous.to_pylist()
    ]
