"""What the walks know of a fleet, and their next steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgeline.kernels.native import loader
from ridgeline.kernels.walks.layout import CELL, CELLS, FACTS, HOT, LEADERS_ROOM, SCORES, SCRATCH, SLOTS


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Rows as `kernels.walks.layout` has them, changed in place; all zero where nothing is known.

    hot float64[n, HOT]; slots float32[n, SLOTS]; leaders float32[n, LEADERS_ROOM]; profile float32[CELLS n, CELL].
    """

    hot: NDArray[np.float64]
    slots: NDArray[np.float32]
    leaders: NDArray[np.float32]
    profile: NDArray[np.float32]

    @classmethod
    def fresh(cls, rows: int) -> State:
        """Return the state of metrics that nothing is known of."""
        return cls(
            np.zeros((rows, HOT)),
            np.zeros((rows, SLOTS), np.float32),
            np.zeros((rows, LEADERS_ROOM), np.float32),
            np.zeros((CELLS * rows, CELL), np.float32),
        )

    def walk(
        self,
        rows: NDArray[np.int64],
        offsets: NDArray[np.int64],
        timestamps: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Walk the points of some rows, each in order of time, and return the scores of each point and facts of each row.

        offsets int64[len(rows) + 1], timestamps int64[N] epoch seconds, ascending in each row, values float64[N]: cleaned
        and unprepared. Scores float32[N, SCORES], NaN where a point is not newer than what the row knows: it is not walked.
        Facts int64[len(rows), FACTS].
        """
        scores = np.empty((len(timestamps), SCORES), np.float32)
        facts = np.empty((len(rows), FACTS), np.int64)
        known = (self.hot, self.slots, self.leaders, self.profile)
        loader.entry("walks")(offsets, timestamps, values, rows, *known, scores, facts, np.empty(SCRATCH))
        return scores, facts
