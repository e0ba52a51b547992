"""What a shadow run does otherwise than a dry one: it stands where Skyline stood, and knows the counters that Skyline knew."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ridgeline.engine.archive.select import behind
from ridgeline.engine.run.latches import CONFIRMED, Latch
from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.runs import points_in
from ridgeline.io.matrix import MetricMatrix

if TYPE_CHECKING:
    from ridgeline.engine.run.settled import Settled
    from ridgeline.engine.run.sinks import Series
    from ridgeline.engine.run.turn import Turn


@dataclass(slots=True)
class Shadowing:
    """A sink that remembers which metrics came out how; those found anomalous are `anomalous`.

    `epoch`: the run that is compared with, epoch seconds; `counters`: the metrics that Skyline takes for some.
    """

    epoch: int
    counters: frozenset[str]
    wants_series: bool = False
    wants_all: bool = True
    by_outcome: dict[str, set[str]] = field(default_factory=dict)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Note the outcome of each metric."""
        columns = (verdicts.column(name).to_pylist() for name in ("metric", "outcome", "anomalous"))
        for metric, outcome, anomalous in zip(*columns, strict=True):
            self.by_outcome.setdefault("anomalous" if anomalous else outcome, set()).add(metric)

    def settle(self, settled: Settled) -> None:
        """Never asked for: it sees every series whole."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written."""

    def latches(self) -> dict[str, Latch]:
        """What runs before this one would have known, had they been ours."""
        return dict.fromkeys(self.counters, Latch(CONFIRMED, self.epoch, self.epoch))

    def cut(self, matrix: MetricMatrix) -> MetricMatrix:
        """Leave out the points that had not come yet: some profiles judge them."""
        begins, ends = matrix.offsets[:-1], matrix.offsets[1:]
        stops = behind(matrix.timestamps, begins, ends, np.full(len(matrix), self.epoch))
        if np.array_equal(stops, ends):
            return matrix
        lengths = stops - begins
        at, bounds = points_in(begins, lengths), arrow(np.append(0, np.cumsum(lengths)))
        stamps = matrix.timestamps[at]
        columns = [
            matrix.batch.column(0),
            pa.LargeListArray.from_arrays(bounds, arrow(stamps)),
            pa.LargeListArray.from_arrays(bounds, arrow(matrix.values[at])),
            matrix.batch.column(3),
        ]
        batch = pa.RecordBatch.from_arrays(columns, schema=matrix.batch.schema)
        return replace(matrix, batch=batch, newest=int(stamps.max()) if len(stamps) else None)
