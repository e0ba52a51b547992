"""The pure function of a backtest: one part of the dataset in, its file of scores and its counts out.

Runs alike in a thread of this process and on a worker of another machine: everything it needs comes as arguments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ridgeline.engine.backtest.counts import Counts
from ridgeline.engine.backtest.groups import Replaying
from ridgeline.engine.backtest.incidents import Incident
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.manifest import checksum
from ridgeline.engine.backtest.plan import Part
from ridgeline.engine.backtest.scores import write_scores
from ridgeline.engine.backtest.trails import trail_file
from ridgeline.engine.policy.trail import Tracker
from ridgeline.engine.replay.steps import step_schema
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.engine.score.sparse import as_objects


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
    counts, tracker = Counts((*algorithm_names(), *user)), Tracker(job.paging.keep)
    replaying = Replaying(job, part, threads, counts, tracker)
    target, seal = Path(job.output, "scores", part.file_name), None
    if job.keep_scores:
        seal = write_scores(replaying.groups(), step_schema(user, job.plan.rules, encoded=True), target)
    else:
        deque(replaying.groups(), maxlen=0)
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
        unreadable=tuple(sentence for _, sentence in replaying.problems),
        trail_sha256=checksum(trail),
        file=None if seal is None else part.file_name,
        file_bytes=0 if seal is None else target.stat().st_size,
        file_sha256=seal,
    )
