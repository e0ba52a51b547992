"""The walks of a run: every new point of the metrics that they judge, once and in order, whatever way it comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.walks.said import NEVER, Said, thresholds_of
from ridgeline.kernels.memory.layout import AHEAD, LAST, QUIET, READ_UNDECIDED, READ_WALKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Ints
    from ridgeline.engine.score.scorer import Assigned
    from ridgeline.engine.walks.kept import Kept
    from ridgeline.io.matrix import MetricMatrix


@dataclass(frozen=True, slots=True, eq=False)
class Walking:
    """The new points of tails.

    as_of       the run's clock, epoch seconds
    thresholds  float64[n], of the rows of the memory, NEVER where the walks do not judge
    asked       uint8[n]: whether new points of a row are wanted; empty: of none
    news        takes them in, as `engine.memory.tails` gives them; None: none are wanted
    """

    memory: Remembered
    as_of: int
    thresholds: NDArray[np.float64]
    asked: NDArray[np.uint8]
    news: Callable[[Ints, Ints, Ints, NDArray[np.float64]], None] | None

    @classmethod
    def over(cls, memory: Remembered, thresholds: NDArray[np.float64], as_of: int) -> Self:
        """Those of the rows that this run judges; where the memory keeps no walks, of none."""
        kept = memory.kept
        if kept is None:
            return cls(memory, as_of, thresholds, np.empty(0, np.uint8), None)

        def news(rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64]) -> None:
            kept.walk(rows, offsets, timestamps, values, as_of, whole=False)

        return cls(memory, as_of, thresholds, (thresholds < NEVER).astype(np.uint8), news)

    def behind(self, rows: Ints) -> Ints:
        """Those of rows int64[m] whose walks know less of the series than the row does, as where they are new."""
        kept = self.memory.kept
        if kept is None:
            return rows[:0]
        mine = rows[self.thresholds[rows] < NEVER]
        hot = self.memory.hot
        found: Ints = mine[kept.watermarks(mine) < hot[mine, LAST] + hot.view(np.int32)[mine, AHEAD]]
        return found

    def end(self, late: int) -> None:
        """Have read in full what the walks find anomalous, and what was damaged; `late`: rows with a point that came too late."""
        memory, kept = self.memory, self.memory.kept
        if kept is None:
            return
        kept.late += late
        rows = memory.rows[memory.codes[memory.rows] <= QUIET]
        rows = rows[self.thresholds[rows] < NEVER]
        memory.codes[rows[kept.scores(rows, self.as_of) > self.thresholds[rows]]] = READ_UNDECIDED
        memory.codes[rows[kept.watermarks(rows) == 0]] = READ_WALKS


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What the walks say of series that are read in full, once they have walked what is new in them."""

    memory: Remembered
    kept: Kept
    as_of: int

    def __call__(self, matrix: MetricMatrix, assigned: Assigned) -> Said:
        """Of each row of a block; called for several blocks at once."""
        count = len(matrix)
        thresholds = thresholds_of(assigned.policies, assigned.of_row, count)
        rows = self.memory.rows_of(matrix.metrics.to_pylist())
        rows[thresholds == NEVER] = -1
        self.kept.walk(rows, matrix.offsets, matrix.timestamps, matrix.values, self.as_of, whole=True)
        return Said.by(self.kept.hot, rows, thresholds, self.as_of)


def unlearned(matrix: MetricMatrix, assigned: Assigned) -> Said:
    """The same of a run without memory: nothing."""
    return Said.nothing(thresholds_of(assigned.policies, assigned.of_row, len(matrix)))
