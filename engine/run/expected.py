"""Tells the report what would have been nothing remarkable, of each anomaly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from ridgeline.engine.score.considered import Considering
from ridgeline.engine.score.expected import expected
from ridgeline.engine.score.scorer import Scorer

if TYPE_CHECKING:
    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.run.settled import Settled
    from ridgeline.engine.run.sinks import Series
    from ridgeline.engine.run.turn import Turn


@dataclass(frozen=True, slots=True)
class ExpectedSink:
    """Tells the report the expected range of each anomaly whose series was read whole."""

    report: Report
    scorer: Scorer
    wants_series: bool = True
    wants_all: bool = False

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Look at the anomalous rows of the block."""
        if matrix is None:
            return
        rows = verdicts.column("anomalous").to_pylist()
        if True not in rows:
            return
        names = verdicts.column("metric").to_pylist()
        anomalous = {name for name, found in zip(names, rows, strict=True) if found}
        asked = Considering(matrix.prepared, self.scorer)
        for row, name in enumerate(matrix.prepared.metrics.to_pylist()):
            if name in anomalous:
                _, values = asked.points(row)
                self.report.describe(name, expected=expected(values))

    def settle(self, settled: Settled) -> None:
        """None of them is anomalous."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written."""
