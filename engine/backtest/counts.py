"""What a part comes to, counted as its steps are replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from ridgeline.engine.backtest.incidents import Incident, Steps, fold
from ridgeline.engine.replay.steps import Steps as Replayed
from ridgeline.engine.score.sparse import Sparse
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.reasons import ROW_REASONS

WEEK: Final = 7 * 86400


@dataclass(slots=True)
class Counts:
    """The counts of a part; `names` are the algorithms'."""

    names: tuple[str, ...]
    reasons: Counter[str] = field(default_factory=Counter)
    repairs: Counter[str] = field(default_factory=Counter)
    never: Sparse = field(default_factory=Sparse)
    outcomes: Counter[str] = field(default_factory=Counter)
    learning: int = 0
    first: int | None = None
    last: int | None = None
    weeks: float = 0.0
    anomalous: int = 0
    incidents: list[Incident] = field(default_factory=list)

    def add(self, metrics: Sequence[str], steps: Replayed) -> None:
        """Count the steps of whole metrics."""
        found = np.bincount(steps.outcomes, minlength=len(OUTCOMES)).tolist()
        self.outcomes.update({name: count for name, count in zip(OUTCOMES, found, strict=True) if count})
        self.anomalous += int(np.count_nonzero(steps.anomalous))
        if steps.ruled is not None:
            self.learning += int(np.count_nonzero(steps.ruled.learning))
        stops = np.cumsum(steps.counts)
        for name, start, stop in zip(metrics, (stops - steps.counts).tolist(), stops.tolist(), strict=True):
            if start < stop:
                self._add(name, steps, slice(start, stop))

    def _add(self, name: str, steps: Replayed, here: slice) -> None:
        first, last = int(steps.timestamps[here.start]), int(steps.timestamps[here.stop - 1])
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)
        self.weeks += (last - first) / WEEK
        if steps.anomalous[here].any():
            self.incidents += fold(_of_metric(name, steps, here), self.names)


def _of_metric(name: str, steps: Replayed, here: slice) -> Steps:
    """The steps of one metric."""
    fired = np.array([steps.scores[place, here] > 1 for place in steps.algorithms]).T
    votes = steps.votes[here].view(np.int8)
    found = Steps(name, steps.timestamps[here], steps.values[here], steps.anomalous[here], votes, fired)
    if steps.ruled is not None and (channels := steps.ruled.channels[here]).any():
        found = replace(found, loudness=steps.ruled.score[here], channels=channels)
    return found


def reasons_of(matrix: MetricMatrix) -> dict[str, int]:
    """Metrics without any usable point, by reason."""
    return {ROW_REASONS[code]: count for code, count in Counter(matrix.reasons.tolist()).items() if code}
