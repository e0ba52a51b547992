"""Judging every new point of many metrics, each as of itself: what `score --as-of` says of the series cut there.

The kernels of replay do it, thousands of metrics and steps at once. A point is never stale: it is its own clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Final, Self

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.archive.select import behind
from ridgeline.engine.prepare.plan import UNPREPARED, Preparation
from ridgeline.engine.replay.matrix import replay_rows
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.replay.series import Replayed
from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override, Overrides, check_judgement
from ridgeline.engine.rules.profiles import profile_named
from ridgeline.engine.rules.user_algorithms import UserAlgorithm, load_user_algorithms
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.score.scorer import available_threads, base_policy
from ridgeline.kernels.replay.layout import COLUMNS
from ridgeline.kernels.score.layout import ALGORITHMS, ANALYSED, FAILED, FALSE, NULL, TRUE

if TYPE_CHECKING:
    from ridgeline.io.matrix import MetricMatrix

NEVER: Final = -(2**63)  # the watermark of a metric that was never judged
LONGEST_STEP: Final = 7 * 86400  # seconds: beyond, windows of `min_window_points` are looked at as far as they are kept

Points = tuple[NDArray[np.int64], NDArray[np.float64]]  # timestamps int64[n], values float64[n]


@dataclass(frozen=True, slots=True)
class Judging:
    """How new points are judged: one plan, and the policy that overrides give each metric."""

    plan: ReplayPlan
    overrides: Overrides
    threads: int

    @classmethod
    def of(
        cls,
        analysis: Analysis,
        overrides: Sequence[Override] = (),
        *,
        preparation: Preparation = UNPREPARED,
        threads: int = 0,
        user: Sequence[UserAlgorithm] | None = None,
    ) -> Self:
        """Checked settings as `Scorer.of` takes them; InputError for an unknown profile or an unreachable consensus."""
        check_judgement("batch", analysis.rule, overrides)
        found = load_user_algorithms(analysis.modules, algorithm_names()) if user is None else tuple(user)
        plan = ReplayPlan(
            profile=profile_named(analysis.profile), window=analysis.full_duration, user=found, preparation=preparation
        )
        names = (*algorithm_names(), *(one.name for one in found))
        return cls(plan, Overrides(base_policy(analysis, names), overrides), threads or available_threads())

    @property
    def names(self) -> tuple[str, ...]:
        """All algorithms, in the order of votes."""
        return (*algorithm_names(), *(one.name for one in self.plan.user))

    def windows(self, metrics: Sequence[str]) -> list[int]:
        """The seconds that the points of each metric are judged over, at most."""
        given = self.overrides.assign(metrics)
        lengths = [
            max(policy.full_duration or self.plan.window, policy.min_window_points * LONGEST_STEP)
            for policy in self.overrides.policies
        ]
        return [lengths[at] for at in ([0] * len(metrics) if given is None else given.tolist())]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What became of n points, in the order of rows, then of time.

    row        int32[n]: the metric's row in the matrix
    timestamp  int64[n], epoch seconds; value float64[n], as judged: prepared
    outcome    uint8[n], place in `verdicts.OUTCOMES`: analysed, too_short or boring
    reason     uint8[n], place in `verdicts.REASONS`: why enough votes made no anomaly
    anomalous  bool[n]
    votes      uint8[algorithms, n]: codes as in `kernels.score.layout`; count int8[n]: how many are True
    newest     int64[rows]: each row's newest point that was to be judged, its watermark once all this is recorded; its
               watermark of before where there is none. What a counter's reset leaves without a rise is passed over.
    names      the algorithms, in the order of `votes`
    """

    row: NDArray[np.int32]
    timestamp: NDArray[np.int64]
    value: NDArray[np.float64]
    outcome: NDArray[np.uint8]
    reason: NDArray[np.uint8]
    anomalous: NDArray[np.bool_]
    votes: NDArray[np.uint8]
    count: NDArray[np.int8]
    newest: NDArray[np.int64]
    names: tuple[str, ...]
    _replayed: Replayed
    _series: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.row)

    def window(self, at: int) -> Points:
        """The points that point `at` was judged by, as judged; the last is the point itself."""
        one, when = self._replayed.series[self._series[at]], self.timestamp[at]
        start, stop = np.searchsorted(one.t, [when - one.seconds, when], "right").tolist()
        return one.t[start:stop], one.x[start:stop]

    def anomaly(self, at: int, metric: str) -> Anomaly:
        """Point `at` as alerts and siblings are told of it."""
        votes = self.votes[:, at]
        return Anomaly(
            metric,
            float(self.value[at]),
            int(self.timestamp[at]),
            int(self.count[at]),
            tuple(compress(self.names, votes == TRUE)),
            tuple(compress(self.names, votes < NULL)),
            negatives=bool((self.window(at)[1] < 0).any()),
            backdated=True,
        )


def judge(
    matrix: MetricMatrix,
    after: NDArray[np.int64],
    judging: Judging,
    *,
    until: int | None = None,
) -> Judged:
    """Judge every point of a cleaned matrix that is newer than its row's watermark, as of itself.

    after int64[rows]: epoch seconds, `NEVER` where all points are new; until: what lies beyond is left for another time.
    The window of a row is its policy's `full_duration`; what lies before it, or is gone, is not looked at. Of equal
    timestamps there is one step, judged by the last of them or by all, as the profile says. Verdicts do not depend on
    how the points are cut into passes.
    """
    starts = after + (after < np.iinfo(np.int64).max)
    plan = replace(judging.plan, end=None if until is None else until + 1)
    found = replay_rows(matrix, plan, judging.overrides, starts=starts, threads=judging.threads)
    steps, of_step = found.steps, found.of_step
    votes = _votes(found, of_step, judging)
    return Judged(
        np.repeat(np.arange(len(matrix), dtype=np.int32), steps.counts),
        steps.timestamps,
        steps.values,
        steps.outcomes,
        steps.reasons,
        steps.anomalous,
        votes,
        (votes == TRUE).sum(axis=0, dtype=np.int8),
        _newest(matrix, after, until),
        judging.names,
        found,
        of_step,
    )


def _votes(found: Replayed, of_step: NDArray[np.int32], judging: Judging) -> NDArray[np.uint8]:
    """The vote of each algorithm on each step, uint8[algorithms, n]; a score that is lacking is a failure."""
    scores, policies = found.steps.scores, found.policies
    analysed = found.steps.outcomes == ANALYSED
    policy = policies.of_row[of_step]
    votes = np.empty((len(judging.names), len(analysed)), np.uint8)
    for place in range(len(judging.names)):
        score = scores[place if place < ALGORITHMS else place - ALGORITHMS + COLUMNS]
        codes = np.where(score > 1, TRUE, np.where(np.isnan(score), FAILED, FALSE))
        votes[place] = np.where(analysed & policies.in_force[policy, place], codes, NULL)
    return votes


def _newest(matrix: MetricMatrix, after: NDArray[np.int64], until: int | None) -> NDArray[np.int64]:
    begins, ends, stamps = matrix.offsets[:-1], matrix.offsets[1:], matrix.timestamps
    last = ends if until is None else behind(stamps, begins, ends, np.full(len(matrix), until))
    newest, some = np.array(after), last > begins
    newest[some] = np.maximum(newest[some], stamps[last[some] - 1])
    return newest
