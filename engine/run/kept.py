"""The few series that pictures may be made of, kept while all others are forgotten."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.alerters import Alert
from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.report.envelope import envelope
from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.anomaly import Anomaly, anomalies_of
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.ordered import median

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

COLUMNS: Final = 800  # what a picture is wide: so many points times four are kept of a series, 50 kB


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """One series, as it was judged: the points that a picture shows, and the median of all."""

    rank: tuple[float, float, str]
    metric: str
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    median: float


@dataclass(slots=True)
class KeptSeries:
    """Keeps the prepared series of the top anomalies, at most `most`, whatever the size of the fleet.

    It comes after the sink that tells the report what was expected: the top is the top of alerts.
    """

    report: Report
    scorer: Scorer
    most: int
    wants_series: bool = True
    wants_all: bool = False
    _kept: list[Kept] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Look at the anomalous rows of the block."""
        if matrix is None or True not in verdicts.column("anomalous").to_pylist():
            return
        rows = {name: row for row, name in enumerate(matrix.prepared.metrics.to_pylist())}
        for anomaly in anomalies_of(verdicts):
            if anomaly.metric in rows:
                self._offer(anomaly, matrix.prepared, rows[anomaly.metric])

    def settle(self, settled: Settled) -> None:
        """None of them is anomalous."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written."""

    def by_metric(self) -> dict[str, Kept]:
        """What is kept."""
        return {kept.metric: kept for kept in self._kept}

    def _offer(self, anomaly: Anomaly, series: Prepared, row: int) -> None:
        """Keep one more series, or in its stead none, or drop the least of them."""
        rank = self._rank(anomaly)
        if len(self._kept) == self.most and rank >= self._kept[-1].rank:
            return
        stamps, values = considered(series, row, self.scorer)
        at = envelope(stamps, values, COLUMNS)
        kept = Kept(rank, anomaly.metric, stamps[at], values[at], median(values))
        insort(self._kept, kept, key=lambda each: each.rank)
        del self._kept[self.most :]

    def _rank(self, anomaly: Anomaly) -> tuple[float, float, str]:
        told = self.report.described(anomaly.metric)
        return Alert(
            anomaly.metric,
            anomaly.value,
            anomaly.timestamp,
            expected=told.get("expected"),
            algorithms=anomaly.algorithms,
            rule_score=told.get("rule_score"),
        ).rank
