"""All algorithms on one series of pairs: the judgement that `ridgeline.score` makes, without a table around it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from ridgeline.engine.rules.analysis import Analysis
from ridgeline.engine.rules.overrides import Override, check_judgement
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.failures import Complaint
from ridgeline.engine.score.matrix import judge_rows, switches_of
from ridgeline.engine.score.pairs import TimeSeries, arrays
from ridgeline.engine.score.rows import OneMetric
from ridgeline.engine.score.scorer import Scorer
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.kernels.score.layout import COUNT, DATAPOINT, NEGATIVE, TIMESTAMP
from ridgeline.kernels.shared.switches import BORING_POINTS, MIN_POINTS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one series.

    outcome     one of `verdicts.OUTCOMES`; only what is "analysed" has votes
    points      how many were considered
    timestamp   of the newest of them, epoch seconds; 0 without any
    datapoint   its value; NaN without any
    anomalous   as many True votes as the consensus asks for, by a change that the metric's rules let through
    algorithms  those in force for the metric, in the order of the columns of verdicts
    votes       one each: True, False, or None where it failed
    negatives   whether a considered value is below 0
    stale_period, min_points, boring_points    what the series was measured by: seconds, points, points
    complaints  by user's algorithm, what it said when it raised
    """

    outcome: str
    points: int
    timestamp: int
    datapoint: float
    anomalous: bool
    algorithms: tuple[str, ...]
    votes: tuple[bool | None, ...]
    negatives: bool
    stale_period: int
    min_points: int
    boring_points: int
    complaints: dict[str, Complaint]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Judges series one at a time, all votes of each. May be shared by threads."""

    scorer: Scorer
    _learning: Any = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, analysis: Analysis, overrides: Sequence[Override], profile: str) -> Self:
        """An ensemble for checked settings, under a profile of its own; InputError as `Scorer.of`."""
        check_judgement("score", analysis.rule, overrides)
        return cls(Scorer.of(replace(analysis, profile=profile, all_votes=True), overrides, threads=1))

    def policy(self, metric: str) -> Policy:
        """How the metric is judged."""
        with self._learning:
            return self.scorer.overrides.policy(metric)

    def judge(self, timeseries: TimeSeries, metric: str, policy: Policy, as_of: int) -> Verdict:
        """Judge one series by `policy`, as of an instant in epoch seconds. Raises InputError for what is no series."""
        row = OneMetric.of(metric, *arrays(timeseries), as_of)
        plan = replace(self.scorer.plan, policies=(policy,), complaints={})
        judged = judge_rows(row, plan)
        results = judged.results
        names = plan.names
        asked = [place for place, name in enumerate(names) if name in (policy.algorithms or names)]
        switches = switches_of(row, plan)
        stale_period = plan.profile.stale_period if policy.stale_period is None else policy.stale_period
        return Verdict(
            outcome=OUTCOMES[judged.outcomes[0]],
            points=int(results.facts[0, COUNT]),
            timestamp=int(results.facts[0, TIMESTAMP]),
            datapoint=float(results.points[0, DATAPOINT]),
            anomalous=bool(judged.anomalous[0]),
            algorithms=tuple(names[place] for place in asked),
            votes=tuple(judged.vote(place, 0) for place in asked),
            negatives=bool(results.facts[0, NEGATIVE]),
            stale_period=stale_period,
            min_points=int(switches[MIN_POINTS]),
            boring_points=int(switches[BORING_POINTS]),
            complaints=plan.complaints,
        )
