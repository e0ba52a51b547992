"""What this run adds to the records of lately anomalous metrics: since when, and what is normal again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.lately import Lately, Seen, observe
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.anomaly import Anomaly

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

COLUMNS = ("metric", "outcome", "anomalous", "timestamp", "datapoint")


@dataclass(slots=True)
class LatelySink:
    """Keeps what was judged, for the alerts: of metrics that were anomalous lately it matters that they are normal now."""

    wants_series: bool = False
    _judged: list[pa.RecordBatch] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Keep columns that the verdicts hold already."""
        self._judged.append(verdicts.select(COLUMNS))

    def normal(self, metrics: Mapping[str, Lately]) -> list[Anomaly]:
        """Those of the metrics that were analysed and are not anomalous, each with its newest point."""
        found = []
        for batch in self._judged if metrics else ():
            rows = zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True)
            for metric, outcome, anomalous, timestamp, value in rows:
                if metric in metrics and outcome == "analysed" and anomalous is False:
                    first_seen = metrics[metric].first_seen
                    found.append(Anomaly(metric, value, timestamp, 0, (), first_seen=first_seen, ongoing=True))
        return found

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: the records go with the alerts."""


def looked_at(
    before: Mapping[str, Lately], anomalies: Iterable[Anomaly], normal: Iterable[Anomaly], keep: int
) -> dict[str, Lately]:
    """The records after this run, of the metrics that it judged. `keep`: how many runs m of n looks back on."""
    after: dict[str, Lately] = {}
    for anomalous, some in ((True, anomalies), (False, normal)):
        for one in some:
            record = observe(before.get(one.metric), _seen(one, anomalous=anomalous), keep=keep)
            if record is not None:
                after[one.metric] = record
    return after


def _seen(one: Anomaly, *, anomalous: bool) -> Seen:
    size = Alert(one.metric, one.value, one.timestamp, one.expected).size
    return Seen(one.timestamp, one.value, anomalous, one.votes, size, one.algorithms)
