"""What this run finds normal again of the metrics that were anomalous lately."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ridgeline.engine.alerts.lately import Lately
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.kernels.score.layout import ANALYSED

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

COLUMNS: Final = ("metric", "datapoint", "timestamp", "outcome", "anomalous")


@dataclass(slots=True)
class LatelySink:
    """Keeps what was judged, for the alerts: of metrics that were anomalous lately it matters that they are normal now."""

    wants_series: bool = False
    wants_all: bool = False
    _judged: list[pa.RecordBatch] = field(default_factory=list)
    _settled: list[Settled] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Keep columns that the verdicts hold already."""
        self._judged.append(verdicts.select(COLUMNS))

    def normal(self, metrics: Mapping[str, Lately]) -> list[Anomaly]:
        """Those of the metrics that were analysed and are not anomalous, each with its newest point."""
        if not metrics:
            return []
        # Lists, because Arrow's kernels import pyarrow.compute, and pandas where it is installed.
        found = [
            (metric, value, timestamp)
            for batch in self._judged
            if not metrics.keys().isdisjoint(batch.column("metric").to_pylist())
            for metric, value, timestamp, outcome, anomalous in zip(
                *(batch.column(name).to_pylist() for name in COLUMNS), strict=True
            )
            if outcome == "analysed" and anomalous is False and metric in metrics
        ]
        found += [one for settled in self._settled for one in _analysed(settled, list(metrics))]
        return [
            Anomaly(metric, value, timestamp, 0, (), first_seen=metrics[metric].first_seen, ongoing=True)
            for metric, value, timestamp in found
        ]

    def settle(self, settled: Settled) -> None:
        """Keep whom to ask."""
        self._settled.append(settled)

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: the records go with the alerts."""


def _analysed(settled: Settled, metrics: Sequence[str]) -> Iterator[tuple[str, float, int]]:
    """(metric, newest value, its timestamp) of those of the metrics that were analysed without being read whole."""
    for metric, at in zip(metrics, settled.finding(metrics).tolist(), strict=True):
        if at >= 0 and settled.outcomes[at] == ANALYSED:
            yield metric, float(settled.datapoints[at]), int(settled.timestamps[at])
