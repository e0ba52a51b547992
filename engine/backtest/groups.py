"""The steps of a part, as many at a time as make a row group: replayed, counted, and handed on to be written."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.engine.backtest.counts import Counts, reasons_of
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.plan import Part
from ridgeline.engine.backtest.trails import judged_steps
from ridgeline.engine.policy.trail import Tracker
from ridgeline.engine.replay.matrix import replay_rows
from ridgeline.engine.replay.pages import Pages
from ridgeline.engine.replay.steps import table_of
from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.reach import stretched
from ridgeline.engine.score.sparse import Sparse, sparse
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.parquet.listing import Problems

GROUP: Final = 1 << 16  # points of a row group, of whole metrics: what is replayed and written at a time
_threads: Final = threading.local()


@dataclass(slots=True)
class Replaying:
    """The replay of one part: what it comes to so far, and what could not be read of it."""

    job: Job
    part: Part
    threads: int
    counts: Counts
    tracker: Tracker
    problems: Problems = field(default_factory=list)

    def groups(self) -> Iterator[list[pa.Table]]:
        """Tables of the steps of each row group, in order; none where scores are not kept.

        They lie in memory that the next group is written into.
        """
        job, pages, held, points = self.job, _pages(), [], 0
        overrides = Overrides(job.policy, job.overrides)
        user = tuple(one.name for one in job.plan.user)
        for matrix in self._matrices(overrides):
            for some in whole_metrics(matrix, points):
                steps = replay_rows(some, job.plan, overrides, threads=self.threads, pages=pages).steps
                self.counts.add(some.metrics.to_pylist(), steps)
                for one in judged_steps(some, steps, job, overrides):
                    self.tracker.add(one)
                if job.keep_scores:
                    held.append(table_of(some.metrics, steps, user, job.plan.rules, encoded=True))
                points += _points(some)
                if points >= GROUP:
                    yield held
                    held, points = [], 0
                elif held:
                    pages.give_away()
        yield held
        pages.spare()

    def _matrices(self, overrides: Overrides) -> Iterator[MetricMatrix]:
        """The part's metrics, counted."""
        for matrix in self.part.portion.matrices(self.problems):
            self.counts.reasons.update(reasons_of(matrix))
            self.counts.repairs.update(matrix.repairs)
            self.counts.never.update(_never_judged(matrix, self.job, overrides))
            yield matrix


def whole_metrics(matrix: MetricMatrix, points: int) -> Iterator[MetricMatrix]:
    """Cut a matrix behind each metric with which a row group is full; the first one has so many points already."""
    bounds = (matrix.offsets - matrix.offsets[0] + points).tolist()
    first, begin = 0, 0
    for row in range(1, len(bounds)):
        if bounds[row] - begin >= GROUP:
            yield matrix.slice(first, row)
            first, begin = row, bounds[row]
    if first < len(matrix):
        yield matrix.slice(first, len(matrix))


def _points(matrix: MetricMatrix) -> int:
    return int(matrix.offsets[-1] - matrix.offsets[0])


def _pages() -> Pages:
    """The calling thread's pages."""
    pages: Pages | None = getattr(_threads, "pages", None)
    if pages is None:
        pages = _threads.pages = Pages()
    return pages


def _never_judged(matrix: MetricMatrix, job: Job, overrides: Overrides) -> Sparse:
    """Metrics that no window was long enough for, as of their newest points."""
    of_row = overrides.assign(matrix.metrics.to_pylist())
    plan = ScorePlan(job.plan.profile, full_duration=job.plan.window, policies=overrides.policies, user=job.plan.user)
    own = np.full(len(matrix), NO_AS_OF)
    policies = stretched(Policies.encode(plan, of_row, len(matrix)), matrix, own)
    by_window = np.array([policy.rule not in NEEDS_WALKS for policy in overrides.policies])
    return sparse(matrix, np.flatnonzero(by_window[policies.of_row]), policies, own, job.plan.profile)
