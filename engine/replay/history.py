"""One metric's history as walked, and what each rule makes of its points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.series import replay_series
from ridgeline.engine.rules.judgement import OUTAGE, PAGES, PATTERN, RECORD, SPIKE
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.walks.state import State
from ridgeline.kernels.native import loader
from ridgeline.kernels.ridgeline import layout as ridgeline
from ridgeline.kernels.score.layout import ANALYSED
from ridgeline.kernels.walks import layout

# How the rule `ridgeline` has the nine judge seasonal residuals: the same for every metric and configuration.
SEASONAL: Final = ReplayPlan(window=28 * 86400)
SEASONAL_POLICY: Final = Policy(consensus=1, min_window_points=500)  # of their grades the mean counts alone
MEAN_SCORE: Final = 1  # its place in `Steps.grades`

Numbers = NDArray[np.float32]
Judged = tuple[Numbers, Mapping[str, Numbers], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The points of a metric in order of time, each time once: timestamps int64[n], walked float32[n, SCORES]."""

    timestamps: NDArray[np.int64]
    walked: Numbers

    @classmethod
    def of(cls, timestamps: NDArray[np.int64], values: NDArray[np.float64]) -> Self:
        """Walk a cleaned series: timestamps int64[m], ascending; values float64[m], finite."""
        points = np.ascontiguousarray(timestamps, np.int64), np.ascontiguousarray(values, np.float64)
        walked, facts = State.fresh(1).walk(np.zeros(1, np.int64), np.array([0, len(timestamps)]), *points)
        if facts[0, layout.LATE] == 0:
            return cls(points[0], walked)
        new = ~np.isnan(walked[:, layout.LEARNING])
        return cls(points[0][new], walked[new])

    @property
    def expected(self) -> Numbers:
        """The ends of the outage walk's band: float32[2, n]."""
        return self.walked[:, [layout.LOW, layout.HIGH]].T

    def places(self, timestamps: NDArray[np.int64]) -> slice | NDArray[np.int64]:
        """Where points of these times are."""
        if np.array_equal(self.timestamps, timestamps):
            return slice(None)
        return np.searchsorted(self.timestamps, timestamps)

    def judged(self, rule: str, threads: int) -> Judged:
        """What a rule with walks makes of each point: its score, its channels by name, and whether some still learn."""
        learning = self.walked[:, layout.LEARNING] != 0
        if rule == PAGES:
            channels = {OUTAGE: self.walked[:, layout.OUTAGE], PATTERN: self.walked[:, layout.PATTERN]}
            return self.walked[:, layout.PAGES], channels, learning
        found = np.empty((len(self.walked), ridgeline.CHANNELS), np.float32)
        loudness = self._loudness(threads)
        loader.entry("ridgeline")(self.timestamps, self.walked, loudness, np.empty(layout.TAIL_STATE), found)
        columns = {
            OUTAGE: ridgeline.OUTAGE, PATTERN: ridgeline.PATTERN, SPIKE: ridgeline.SPIKE, RECORD: ridgeline.RECORD,
        }  # fmt: skip
        channels = {name: found[:, column] for name, column in columns.items()}
        return found[:, ridgeline.SCORE], channels, learning | np.isnan(loudness)

    def _loudness(self, threads: int) -> NDArray[np.float64]:
        """S: the mean score of the nine on seasonal residuals, float64[n]; NaN where they do not judge."""
        residuals = self.walked[:, layout.RESIDUAL].astype(np.float64)
        steps = replay_series(self.timestamps, residuals, SEASONAL, SEASONAL_POLICY, threads=threads)
        return np.where(steps.outcomes == ANALYSED, steps.grades[MEAN_SCORE].astype(np.float64), np.nan)
