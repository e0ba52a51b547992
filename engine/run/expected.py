"""Tells the report what would have been nothing remarkable, of each anomaly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
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
        if matrix is None or matrix.judged is None:
            return
        rows = np.flatnonzero(matrix.judged.anomalous).tolist()
        if not rows:
            return
        asked = Considering(matrix.prepared, self.scorer)
        for row in rows:
            _, values = asked.points(row)
            self.report.describe(verdicts["metric"][row].as_py(), expected=expected(values))

    def settle(self, settled: Settled) -> None:
        """None of them is anomalous."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written."""
