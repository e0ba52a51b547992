"""Anomalies, as taken from verdict rows: what outputs list and alerts are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from typing import Any

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

    batches = verdicts.to_batches() if isinstance(verdicts, pa.Table) else [verdicts]
    return [anomaly for batch in batches for anomaly in _of_batch(batch)]


def _of_batch(batch: Any) -> Iterator[Anomaly]:
    """By numpy, because `RecordBatch.filter` imports pyarrow.compute: more than a small run costs in all."""
    import numpy as np
    import pyarrow as pa

    from ridgeline.io.arrow.buffers import truths, valid, view

    rows = np.flatnonzero(truths(batch.column("anomalous")))
    if not len(rows):
        return
    names = [field.name for field in batch.schema if pa.types.is_boolean(field.type) and field.name not in NO_VOTES]
    metrics, negatives = (
        [column[row].as_py() for row in rows.tolist()] for column in (batch["metric"], batch["negatives"])
    )
    numbers = (view(batch.column(name))[rows].tolist() for name in ("datapoint", "timestamp", "votes"))
    voted = np.array([truths(batch.column(name))[rows] for name in names]).T.tolist()
    ran = np.array([valid(batch.column(name))[rows] for name in names]).T.tolist()
    for metric, value, timestamp, votes, yes, asked, negative in zip(
        metrics, *numbers, voted, ran, negatives, strict=True
    ):
        given, run = tuple(compress(names, yes)), tuple(compress(names, asked))
        yield Anomaly(metric, value, timestamp, votes, given, run, negatives=negative)
