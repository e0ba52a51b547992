"""What a run tells of the walks: which channels spoke of an anomaly, where it was expected, and who is still being learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.run.settled import Settled
    from ridgeline.engine.run.sinks import Series
    from ridgeline.engine.run.turn import Turn
    from ridgeline.engine.walks.said import Said


@dataclass(slots=True)
class WalksSink:
    """Tells the report; behind the sink that tells what the nine expected."""

    report: Report
    wants_series: bool = True
    wants_all: bool = False

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Look at the rows of a block that the walks judge."""
        if matrix is None or matrix.judged is None or matrix.judged.said is None:
            return
        said, judged = matrix.judged.said, matrix.judged
        self._count(said, judged.outcomes)
        rows = np.flatnonzero(said.walked & judged.anomalous).tolist()
        if rows:
            names = matrix.prepared.metrics.to_pylist()
            for row in rows:
                self.report.describe(names[row], **said.verdict(row))

    def settle(self, settled: Settled) -> None:
        """Count; none of them is anomalous."""
        if settled.said is not None:
            self._count(settled.said, settled.outcomes)

    def finish(self, turn: Turn) -> None:
        """Nothing is written."""

    def _count(self, said: Said, outcomes: NDArray[np.uint8]) -> None:
        self.report.learning = (self.report.learning or 0) + said.unripe(outcomes)
