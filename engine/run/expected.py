"""What would have been nothing remarkable: the range that an anomaly is told against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.score.considered import Considering
from ridgeline.engine.score.scorer import Scorer

if TYPE_CHECKING:
    from ridgeline.engine.report.summary import Report
    from ridgeline.engine.run.settled import Settled
    from ridgeline.engine.run.sinks import Series
    from ridgeline.engine.run.turn import Turn

TAIL: Final = 3  # newest points that are left out: those of the anomaly itself
SIGMAS: Final = 3.0


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


def expected(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Mean less and plus 3 standard deviations (ddof 1) of float64[n] values without the newest three.

    None below five values, and where a bound is too large for a number.
    """
    history = values[:-TAIL]
    count = len(history)
    if count < 2:
        return None
    _, exponent = math.frexp(max(float(history.max()), -float(history.min())))
    scaled = np.ldexp(history, -exponent)  # exact, and no square or sum of it overflows or vanishes
    mean = float(np.add.reduce(scaled)) / count
    scaled -= mean
    spread = SIGMAS * math.sqrt(float(np.add.reduce(scaled * scaled)) / (count - 1))
    try:
        return math.ldexp(mean - spread, exponent), math.ldexp(mean + spread, exponent)
    except OverflowError:
        return None
