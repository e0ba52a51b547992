"""The points of one row that its profile considers, for whoever tells people about them (`kernels.score.window`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.score.plan import resolve_as_of
from ridgeline.engine.score.reach import newest_steps
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix

Points = tuple[NDArray[np.int64], NDArray[np.float64]]


def considered(series: MetricMatrix | Prepared, row: int, scorer: Scorer) -> Points:
    """Return the points of one row as `Considering.points` does."""
    return Considering(series, scorer).points(row)


class _Columns(NamedTuple):
    """Those of a matrix, and as_of int64[n]: when each row is judged."""

    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    duplicates: NDArray[np.uint8]
    as_of: NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Considering:
    """One block of series, of which some rows are asked for; prepared ones as they are judged."""

    series: MetricMatrix | Prepared
    scorer: Scorer
    _columns: dict[int, _Columns] = field(default_factory=dict)

    def points(self, row: int) -> Points:
        """Timestamps int64[n] and values float64[n] up to `as_of` and within the window of the newest of them, of equal timestamps the last.

        Each of the three only where the scorer's profile says so. Views of the block, where nothing is left out within.
        """
        window = self._window(row)
        matrix, row = self.series.place(row) if isinstance(self.series, Prepared) else (self.series, row)
        profile, columns = self.scorer.plan.profile, self._of(matrix)
        begin, end = columns.offsets[row : row + 2].tolist()
        stamps, values = columns.timestamps[begin:end], columns.values[begin:end]
        as_of = columns.as_of[row]
        if profile.drop_future and as_of != NO_AS_OF:
            stop = stamps.searchsorted(as_of, "right")
            stamps, values = stamps[:stop], values[:stop]
        if profile.windowed and len(stamps):
            start = stamps.searchsorted(stamps[-1] - window, "right")
            stamps, values = stamps[start:], values[start:]
        if profile.last_wins and columns.duplicates[row]:
            last = np.append(stamps[1:] != stamps[:-1], True)[: len(stamps)]
            stamps, values = stamps[last], values[last]
        return stamps, values

    def _of(self, matrix: MetricMatrix) -> _Columns:
        known = self._columns.get(id(matrix))
        if known is None:
            as_of = resolve_as_of(matrix, self.scorer.plan)
            known = _Columns(matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates, as_of)
            self._columns[id(matrix)] = known
        return known

    def _window(self, row: int) -> int:
        """Seconds of the window of one row."""
        cleaned = self.series.cleaned if isinstance(self.series, Prepared) else self.series
        policy = self.scorer.overrides.policy(cleaned.metrics[row].as_py())
        window = policy.full_duration or self.scorer.plan.full_duration
        if not policy.min_window_points:
            return window
        as_of = self._of(cleaned).as_of[row : row + 1]
        return max(window, policy.min_window_points * int(newest_steps(cleaned, np.array([row]), as_of)[0]))
