"""The verdict card of one metric: its verdict, what each algorithm saw, and what would have made it otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.explain.bounds import Trial, around, bounds
from ridgeline.engine.explain.terms import statistic
from ridgeline.engine.explain.walks import Channel, channels_of, learning
from ridgeline.engine.prepare.airgaps import find_gaps
from ridgeline.engine.rules.airgaps import MAX_PERIOD
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.score.considered import considered
from ridgeline.engine.score.expected import expected
from ridgeline.engine.score.matrix import judge_rows
from ridgeline.engine.score.plan import resolve_as_of
from ridgeline.engine.score.rows import OneMetric
from ridgeline.engine.score.scorer import Scored, Scorer
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.kernels.score.layout import ANALYSED as CODE

ANALYSED: Final = "analysed"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one algorithm made of the metric: None throughout where it was not asked or failed.

    statistic, threshold  in `unit`: beyond the threshold is a vote
    low, high             the newest value would have been no vote from low to high; None: unbounded, or no such range
    """

    name: str
    statistic: float | None = None
    threshold: float | None = None
    unit: str | None = None
    score: float | None = None
    vote: bool | None = None
    low: float | None = None
    high: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `algorithms`."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """Everything that is known of one verdict.

    would     by consensus, whether the metric would have been anomalous
    airgaps   open: its first second or None; closed: first and last second of each; unordered
    prepared  what was done to the series first; None: nothing
    alerts    the routes of an alert, as JSON
    channels  what may speak of it where its rule goes by walks, and `learning`: whether they know enough of it
    owner     the host that it belongs to, where several share the fleet
    stamps, values  the points that were considered
    """

    metric: str
    as_of: int | None
    outcome: str
    reason: str | None
    anomalous: bool | None
    datapoint: float | None
    timestamp: int | None
    votes: int | None
    consensus: int
    expected: tuple[float, float] | None
    negatives: bool | None
    algorithms: Sequence[Opinion]
    would: Mapping[int, bool]
    prepared: str | None
    stale_period: int
    stamps: NDArray[np.int64]
    values: NDArray[np.float64]
    airgaps: Mapping[str, Any]
    alerts: Sequence[Mapping[str, Any]] = ()
    channels: Sequence[Channel] = ()
    learning: bool = False
    owner: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the object of `explain --json`."""
        return {
            "metric": self.metric,
            "as_of": self.as_of,
            "outcome": self.outcome,
            "reason": self.reason,
            "anomalous": self.anomalous,
            "datapoint": self.datapoint,
            "timestamp": self.timestamp,
            "votes": self.votes,
            "expected": None if self.expected is None else list(self.expected),
            "negatives": self.negatives,
            "algorithms": [opinion.as_json() for opinion in self.algorithms],
            "would": [{"consensus": least, "anomalous": found} for least, found in self.would.items()],
            "channels": [channel.as_json() for channel in self.channels],
            **({"learning": self.learning} if self.channels else {}),
            "prepared": self.prepared,
            "airgaps": dict(self.airgaps),
            "alerts": [dict(alert) for alert in self.alerts],
            **({} if self.owner is None else {"owner": self.owner}),
        }


def explain(matrix: MetricMatrix, scorer: Scorer, period: int = MAX_PERIOD) -> Card:
    """Judge the one row of `matrix` and tell all about it. The scorer must be one with scores.

    period  how far back airgaps are looked for, seconds
    """
    metric = matrix.metrics[0].as_py()
    scored = scorer.judge(matrix, threads=1)
    said = None if scored.judged is None else scored.judged.said
    channels = [] if said is None else channels_of(said)
    verdict = scored.verdicts.to_pylist()[0]
    series = scored.prepared.judged(0)
    policy = scorer.overrides.policy(metric)
    as_of = int(resolve_as_of(series, scorer.plan)[0])
    if as_of == NO_AS_OF:  # of its own newest point
        as_of = int(series.timestamps[-1]) if len(series.timestamps) else 0
    stamps, values = considered(series, 0, scorer)
    judged = verdict["outcome"] == ANALYSED and _by_votes(scored)
    algorithms = policy.algorithms or scorer.plan.names
    return Card(
        metric=metric,
        as_of=as_of,
        outcome=verdict["outcome"],
        reason=verdict["reason"],
        anomalous=verdict["anomalous"],
        datapoint=verdict["datapoint"],
        timestamp=verdict["timestamp"],
        votes=verdict["votes"],
        consensus=policy.consensus,
        expected=_band(channels) if channels else expected(values) if judged else None,
        negatives=bool((values < 0).any()) if len(values) else None,
        algorithms=_opinions(series, scorer, policy, verdict, as_of, len(values)) if judged else [],
        would=_would(series, scorer, policy, len(algorithms)) if judged and not channels else {},
        prepared=verdict["prepared"],
        stale_period=policy.stale_period or scorer.plan.profile.stale_period,
        stamps=stamps,
        values=values,
        airgaps=_airgaps(matrix, as_of, period),
        channels=channels,
        learning=learning(said),
    )


def _by_votes(scored: Scored) -> bool:
    """Whether the algorithms looked at the one row: not where only walks can say something of it."""
    return scored.judged is not None and int(scored.judged.results.outcomes[0]) == CODE


def _band(channels: Sequence[Channel]) -> tuple[float, float] | None:
    """Where the walks expected the newest value."""
    return next(((one.low, one.high) for one in channels if one.low is not None and one.high is not None), None)


def _airgaps(matrix: MetricMatrix, as_of: int, period: int) -> dict[str, Any]:
    """Of the series as it was stored: since when a gap is open, the closed ones, whether it is out of order."""
    found = find_gaps(matrix, np.array([as_of]), period)
    return {
        "open": int(found.opened[0]) or None,
        "closed": [list(gap) for gap in found.of(0)],
        "unordered": bool(matrix.disordered[0]),
    }


def _opinions(
    matrix: MetricMatrix, scorer: Scorer, policy: Policy, verdict: Mapping[str, Any], as_of: int, points: int
) -> list[Opinion]:
    names = policy.algorithms or scorer.plan.names
    found = bounds(Trial.of(_until(matrix, scorer, as_of), scorer, names))
    opinions = []
    for name in names:
        vote, score = verdict[name], verdict[f"{name}_score"]
        if vote is None or score is None:
            opinions.append(Opinion(name))
            continue
        value, threshold, unit = statistic(name, score, points, policy)
        low, high = around(found[name])
        shown = None if np.isnan(value) else value
        opinions.append(
            Opinion(name, shown, threshold, unit if found[name] is not None else None, score, vote, low, high)
        )
    return opinions


def _until(matrix: MetricMatrix, scorer: Scorer, as_of: int) -> MetricMatrix:
    """The row as far as it is considered, so that its last point is the one that is judged."""
    if not scorer.plan.profile.drop_future or not len(matrix.timestamps):
        return matrix
    stop = int(np.searchsorted(matrix.timestamps, as_of, "right"))
    if stop == len(matrix.timestamps):
        return matrix
    return MetricMatrix.from_columns(
        matrix.metrics, np.array([0, stop]), matrix.timestamps[:stop], matrix.values[:stop], as_of=matrix.as_of
    )


def _would(matrix: MetricMatrix, scorer: Scorer, policy: Policy, algorithms: int) -> dict[int, bool]:
    """By consensus, from one vote to all."""
    policies = tuple(replace(policy, consensus=least) for least in range(1, algorithms + 1))
    plan = replace(scorer.plan, policies=policies, scores=False)
    judged = judge_rows(OneMetric.copies(matrix, algorithms), plan, np.arange(algorithms, dtype=np.int32))
    return {least: bool(found) for least, found in enumerate(judged.anomalous, 1)}
