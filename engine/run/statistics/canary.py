"""The canary: one metric whose stored span tells how much history there is, and how long a day of it would take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

HOUR: Final = 3600
DAY: Final = 24  # hours


@dataclass(slots=True)
class CanarySink:
    """Looks for one metric among those read. `hours`: from its first stored point to its last; None without two of them."""

    metric: str
    wants_series: bool = True
    wants_all: bool = False
    hours: float | None = None

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Look at the names of the block."""
        if matrix is None:
            return
        series = matrix.cleaned
        names = series.metrics.to_pylist()
        if self.metric in names:
            row = names.index(self.metric)
            begin, end = series.offsets[row], series.offsets[row + 1]
            span = int(series.timestamps[end - 1] - series.timestamps[begin]) if begin < end else 0
            self.hours = span / HOUR if span > 0 else None

    def settle(self, settled: Settled) -> None:
        """Never among them: it is read in full by every run."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: what was found goes with the statistics."""

    def projected(self, seconds: float) -> float | None:
        """Seconds that a day's data would take, at the `seconds` that this run took."""
        return None if self.hours is None else DAY * seconds / self.hours
