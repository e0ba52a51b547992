"""The walks of a run: every new point of the metrics that they judge, once and in order, whatever way it comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.walks.said import NEVER, Said, thresholds_of
from ridgeline.kernels.memory.layout import QUIET, READ_UNDECIDED, READ_WALKS

if TYPE_CHECKING:
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Ints
    from ridgeline.engine.score.scorer import Assigned
    from ridgeline.engine.walks.kept import Kept
    from ridgeline.io.matrix import MetricMatrix


@dataclass(frozen=True, eq=False)
class Walking:
    """The new points of tails.

    as_of       the run's clock, epoch seconds
    thresholds  float64[n], of the rows of the memory, NEVER where the walks do not judge
    """

    memory: Remembered
    kept: Kept
    as_of: int
    thresholds: NDArray[np.float64]
    code: int = READ_WALKS

    @cached_property
    def asked(self) -> NDArray[np.uint8]:
        """Whether new points of a row are wanted, uint8[n]."""
        return (self.thresholds < NEVER).astype(np.uint8)

    def behind(self, rows: Ints) -> Ints:
        """Those of rows int64[m] whose walks know less of the series than the row does, as where they are new."""
        mine = rows[self.thresholds[rows] < NEVER]
        found: Ints = mine[self.kept.watermarks(mine) < self.memory.newest(mine)]
        return found

    def news(self, rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64]) -> None:
        """Walk them."""
        mine = np.where(self.asked[rows] > 0, rows, -1)
        self.kept.walk(mine, offsets, timestamps, values, self.as_of, whole=False)

    def undecided(self) -> Ints:
        """What was damaged; and have read in full, as undecided, what the walks find anomalous."""
        memory, kept = self.memory, self.kept
        rows = memory.rows[memory.codes[memory.rows] <= QUIET]
        rows = rows[self.thresholds[rows] < NEVER]
        memory.codes[rows[kept.scores(rows, self.as_of) > self.thresholds[rows]]] = READ_UNDECIDED
        damaged: Ints = rows[kept.watermarks(rows) == 0]
        return damaged

    def anchor(self, series: MetricMatrix, rows: Ints) -> None:
        """Series that are read in full are walked before they are judged."""


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
