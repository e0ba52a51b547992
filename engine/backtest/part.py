"""The pure function of a backtest: one part of the dataset in, its file of scores and its counts out.

Runs alike in a thread of this process and on a worker of another machine: everything it needs comes as arguments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from ridgeline.engine.backtest.incidents import Incident, Steps, fold
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.manifest import checksum
from ridgeline.engine.backtest.plan import Part
from ridgeline.engine.backtest.scores import write_scores
from ridgeline.engine.backtest.trails import judged_steps, trail_file
from ridgeline.engine.policy.trail import Tracker
from ridgeline.engine.replay.matrix import replay_rows
from ridgeline.engine.replay.steps import Steps as Replayed
from ridgeline.engine.replay.steps import table_of
from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.score.plan import Policies, ScorePlan, algorithm_names
from ridgeline.engine.score.reach import stretched
from ridgeline.engine.score.sparse import Sparse, as_objects, sparse
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.parquet.listing import Problems
from ridgeline.io.reasons import ROW_REASONS

WEEK: Final = 7 * 86400


@dataclass(frozen=True, slots=True)
class Done:
    """A finished part, as JSON-able values."""

    number: int
    metrics: int
    steps: int
    first: int | None
    last: int | None
    metric_weeks: float
    outcomes: dict[str, int]
    learning: int
    reasons: dict[str, int]
    repairs: dict[str, int]
    never_judged: tuple[Mapping[str, Any], ...]  # as `score.sparse.as_objects` has them
    anomalous: int
    incidents: tuple[Incident, ...]
    unreadable: tuple[str, ...]
    trail_sha256: str
    file: str | None
    file_bytes: int
    file_sha256: str | None


def run_part(job: Job, part: Part, threads: int = 1) -> Done:
    """Replay one part, write its scores atomically, and give its counts."""
    user = tuple(one.name for one in job.plan.user)
    counts = _Counts((*algorithm_names(), *user))
    tracker = Tracker(job.paging.keep)
    overrides = Overrides(job.policy, job.overrides)
    problems: Problems = []
    tables: list[pa.Table] = []
    for matrix in part.portion.matrices(problems):
        counts.reasons.update(reasons_of(matrix))
        counts.repairs.update(matrix.repairs)
        counts.never.update(_never_judged(matrix, job, overrides))
        steps = replay_rows(matrix, job.plan, overrides, threads=threads).steps
        counts.add(matrix.metrics.to_pylist(), steps)
        for one in judged_steps(matrix, steps, job, overrides):
            tracker.add(one)
        if job.keep_scores:
            tables.append(table_of(matrix.metrics, steps, user, job.plan.rules, encoded=True))
    target = Path(job.output, "scores", part.file_name)
    seal = write_scores(tables, target) if job.keep_scores else None
    trail = trail_file(Path(job.output), part.number)
    tracker.trail().write(trail)
    return Done(
        number=part.number,
        metrics=len(part.portion.catalog.names),
        steps=counts.outcomes.total(),
        first=counts.first,
        last=counts.last,
        metric_weeks=counts.weeks,
        outcomes=dict(counts.outcomes),
        learning=counts.learning,
        reasons=dict(counts.reasons),
        repairs=dict(counts.repairs),
        never_judged=tuple(as_objects(counts.never)),
        anomalous=counts.anomalous,
        incidents=tuple(counts.incidents),
        unreadable=tuple(sentence for _, sentence in problems),
        trail_sha256=checksum(trail),
        file=None if seal is None else part.file_name,
        file_bytes=0 if seal is None else target.stat().st_size,
        file_sha256=seal,
    )


def _never_judged(matrix: MetricMatrix, job: Job, overrides: Overrides) -> Sparse:
    """Metrics that no window was long enough for, as of their newest points."""
    of_row = overrides.assign(matrix.metrics.to_pylist())
    plan = ScorePlan(job.plan.profile, full_duration=job.plan.window, policies=overrides.policies, user=job.plan.user)
    own = np.full(len(matrix), NO_AS_OF)
    policies = stretched(Policies.encode(plan, of_row, len(matrix)), matrix, own)
    by_window = np.array([policy.rule not in NEEDS_WALKS for policy in overrides.policies])
    return sparse(matrix, np.flatnonzero(by_window[policies.of_row]), policies, own, job.plan.profile)


@dataclass(slots=True)
class _Counts:
    """What a part comes to, matrix by matrix; `names` are the algorithms'."""

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
        for metric in _by_metric(metrics, steps):
            first, last = int(metric.timestamps[0]), int(metric.timestamps[-1])
            self.first = first if self.first is None else min(self.first, first)
            self.last = last if self.last is None else max(self.last, last)
            self.weeks += (last - first) / WEEK
            if metric.anomalous.any():
                self.incidents += fold(metric, self.names)


def _by_metric(metrics: Sequence[str], steps: Replayed) -> Iterator[Steps]:
    """The steps of each metric that has any."""
    stops = np.cumsum(steps.counts)
    for name, start, stop in zip(metrics, (stops - steps.counts).tolist(), stops.tolist(), strict=True):
        if start < stop:
            here = slice(start, stop)
            fired = np.array([steps.scores[place, here] > 1 for place in steps.algorithms]).T
            votes = steps.votes[here].view(np.int8)
            found = Steps(name, steps.timestamps[here], steps.values[here], steps.anomalous[here], votes, fired)
            if steps.ruled is not None and (channels := steps.ruled.channels[here]).any():
                found = replace(found, loudness=steps.ruled.score[here], channels=channels)
            yield found


def reasons_of(matrix: MetricMatrix) -> dict[str, int]:
    """Metrics without any usable point, by reason."""
    return {ROW_REASONS[code]: count for code, count in Counter(matrix.reasons.tolist()).items() if code}
