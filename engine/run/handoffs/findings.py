"""The anomalous rows of a run with what siblings are told of them: kept while all others are forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.run.handoffs.pythonic import timestamp_of, value_of
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.anomaly import Anomaly, anomalies_of
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import MetricMatrix

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

BYTES_PER_POINT: Final = 16
SHARE: Final = 8  # of the memory that a run may take, one part in so many is for series of anomalies

Identity = tuple[str, int]  # metric and timestamp
Points = tuple[NDArray[np.int64], NDArray[np.float64]]  # timestamps int64[n], values float64[n]


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One anomaly as siblings are told of it.

    start     the timestamp of the second point that was judged, as Skyline counts
    integers  whether the source holds its numbers as integers (`MetricMatrix.integers`)
    judged    the points that were judged, prepared; None where they were not wanted or there was no room for them
    cleaned   the points as they came
    from_batch  whether it came from `batch`
    """

    anomaly: Anomaly
    start: int
    integers: int = 0
    judged: Points | None = None
    cleaned: Points | None = None
    from_batch: bool = False

    @property
    def identity(self) -> Identity:
        """Which point of which metric it is."""
        return self.anomaly.metric, self.anomaly.timestamp

    @property
    def value(self) -> float | int:
        """Its value as the source holds it."""
        return value_of(self.anomaly.value, self.integers)

    @property
    def timestamp(self) -> float | int:
        """Its timestamp as the source holds it."""
        return timestamp_of(self.anomaly.timestamp, self.integers)

    @property
    def algorithms(self) -> str:
        """The algorithms that voted at all, as Python shows a list."""
        return str(list(self.anomaly.algorithms_run))

    @property
    def triggered(self) -> str:
        """The algorithms that voted True."""
        return str(list(self.anomaly.algorithms))


@dataclass(slots=True)
class Findings:
    """Keeps every anomalous row, and its series as far as they are wanted and `most` points in all allow.

    `judged`, `cleaned`: which series are wanted. `without`: anomalies whose series found no room.
    """

    scorer: Scorer
    most: int
    judged: bool = False
    cleaned: bool = False
    wants_series: bool = True
    wants_all: bool = False
    without: int = 0
    by_metric: dict[str, Finding] = field(default_factory=dict)
    _points: int = 0

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Look at the anomalous rows of the block."""
        if True not in verdicts.column("anomalous").to_pylist():
            return
        rows = {} if matrix is None else {name: row for row, name in enumerate(matrix.prepared.metrics.to_pylist())}
        for anomaly in anomalies_of(verdicts):
            row = rows.get(anomaly.metric)
            if matrix is None or row is None:
                self.by_metric[anomaly.metric] = Finding(anomaly, anomaly.timestamp)
            else:
                self.by_metric[anomaly.metric] = self._found(anomaly, matrix, row)

    def settle(self, settled: Settled) -> None:
        """None of them is anomalous."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: each sibling has its own hand-off."""

    def _found(self, anomaly: Anomaly, matrix: Series, row: int) -> Finding:
        stamps, values = considered(matrix.prepared, row, self.scorer)
        integers = 0 if matrix.cleaned.integers is None else int(matrix.cleaned.integers[row])
        start = int(stamps[min(1, len(stamps) - 1)]) if len(stamps) else anomaly.timestamp
        room = len(stamps) * self.judged + int(np.diff(matrix.cleaned.offsets[row : row + 2])[0]) * self.cleaned
        if self._points + room > self.most:
            self.without += 1
            return Finding(anomaly, start, integers)
        self._points += room
        # Copies: a view would keep the whole block in memory.
        judged = (stamps.copy(), values.copy()) if self.judged else None
        return Finding(anomaly, start, integers, judged, points_of(matrix.cleaned, row) if self.cleaned else None)


def points_of(matrix: MetricMatrix, row: int) -> Points:
    """A copy of the points of one row."""
    begin, end = matrix.offsets[row], matrix.offsets[row + 1]
    return matrix.timestamps[begin:end].copy(), matrix.values[begin:end].copy()


def room_for(memory: int) -> int:
    """The points that may be kept where a run may take so many bytes."""
    return memory // SHARE // BYTES_PER_POINT
