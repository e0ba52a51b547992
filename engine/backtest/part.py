"""The pure function of a backtest: one part of the dataset in, its file of scores and its counts out.

Runs alike in a thread of this process and on a worker of another machine: everything it needs comes as arguments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.engine.backtest.incidents import Incident, Steps, fold
from ridgeline.engine.backtest.job import Job
from ridgeline.engine.backtest.manifest import checksum
from ridgeline.engine.backtest.plan import Part
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.rules.matching import matches
from ridgeline.engine.rules.overrides import Overrides
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.reach import stretched
from ridgeline.engine.score.sparse import Sparse, as_objects, sparse
from ridgeline.io.arrow.runs import runs_of
from ridgeline.io.matrix import NO_AS_OF, MetricMatrix
from ridgeline.io.parquet.listing import Problems
from ridgeline.io.parquet.write import write_parquet
from ridgeline.io.reasons import ROW_REASONS

NOISIEST: Final = 10
WEEK: Final = 7 * 86400
SCORE_SUFFIX: Final = "_score"


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
    reasons: dict[str, int]
    repairs: dict[str, int]
    never_judged: tuple[Mapping[str, int], ...]  # as `score.sparse.as_objects` has them
    anomalous: int
    pages: int
    incidents: tuple[Incident, ...]
    noisiest: tuple[tuple[str, int, int], ...]  # metric, pages, anomalous steps
    unreadable: tuple[str, ...]
    file: str | None
    file_bytes: int
    file_sha256: str | None


def run_part(job: Job, part: Part, threads: int = 1) -> Done:
    """Replay one part, write its scores atomically, and give its counts."""
    problems: Problems = []
    reasons: Counter[str] = Counter()
    repairs: Counter[str] = Counter()
    never: Sparse = Counter()
    tables = []
    for matrix in part.portion.matrices(problems):
        reasons.update(reasons_of(matrix))
        repairs.update(matrix.repairs)
        never.update(_never_judged(matrix, job))
        tables.append(replay_matrix(matrix, job.plan, Overrides(job.policy, job.overrides), threads=threads))
    steps = pa.concat_tables(tables).combine_chunks()  # its bytes must not depend on how the rows were cut
    target = Path(job.output, "scores", part.file_name)
    if job.keep_scores:
        write_parquet(steps, target)
    names = [name.removesuffix(SCORE_SUFFIX) for name in steps.schema.names if name.endswith(SCORE_SUFFIX)]
    incidents: list[Incident] = []
    noisiest: list[tuple[str, int, int]] = []
    weeks = 0.0
    for metric in _by_metric(steps, names):
        weeks += int(metric.timestamps[-1] - metric.timestamps[0]) / WEEK
        if metric.anomalous.any():
            incidents += fold(metric, names)
            noisiest.append((metric.metric, _pages(job, metric), int(metric.anomalous.sum())))
    stamps = steps["timestamp"]
    bounds = pc.min_max(stamps).as_py()
    return Done(
        number=part.number,
        metrics=len(part.portion.catalog.names),
        steps=steps.num_rows,
        first=bounds["min"],
        last=bounds["max"],
        metric_weeks=weeks,
        outcomes=_counts(steps["outcome"]),
        reasons=dict(reasons),
        repairs=dict(repairs),
        never_judged=tuple(as_objects(never)),
        anomalous=sum(hits for _, _, hits in noisiest),
        pages=sum(pages for _, pages, _ in noisiest),
        incidents=tuple(incidents),
        noisiest=tuple(sorted(noisiest, key=lambda row: (-row[1], -row[2], row[0]))[:NOISIEST]),
        unreadable=tuple(sentence for _, sentence in problems),
        file=part.file_name if job.keep_scores else None,
        file_bytes=target.stat().st_size if job.keep_scores else 0,
        file_sha256=checksum(target) if job.keep_scores else None,
    )


def _never_judged(matrix: MetricMatrix, job: Job) -> Sparse:
    """Metrics that no window was long enough for, as of their newest points."""
    given = Overrides(job.policy, job.overrides)
    of_row = given.assign(matrix.metrics.to_pylist())
    plan = ScorePlan(job.plan.profile, full_duration=job.plan.window, policies=given.policies, user=job.plan.user)
    own = np.full(len(matrix), NO_AS_OF)
    policies = stretched(Policies.encode(plan, of_row, len(matrix)), matrix, own)
    return sparse(matrix, np.arange(len(matrix)), policies, own, job.plan.profile)


def _by_metric(steps: pa.Table, names: list[str]) -> Iterator[Steps]:
    """Each metric's steps; the table holds metrics one after another."""
    if not steps.num_rows:
        return
    runs = runs_of(steps["metric"].chunks)
    anomalous = pc.fill_null(steps["anomalous"], False).to_numpy()
    votes = pc.fill_null(steps["votes"], 0).to_numpy()
    stamps, values = steps["timestamp"].to_numpy(), steps["value"].to_numpy()
    scores = [pc.fill_null(steps[name + SCORE_SUFFIX], 0.0).to_numpy() for name in names]
    metrics = runs.names.to_pylist()
    for code, start, stop in zip(runs.codes, runs.starts[:-1], runs.starts[1:], strict=True):
        here = slice(int(start), int(stop))
        fired = np.stack([score[here] > 1 for score in scores], axis=1)
        yield Steps(metrics[code], stamps[here], values[here], anomalous[here], votes[here], fired)


def _pages(job: Job, metric: Steps) -> int:
    """Alerts this metric would have sent: per strategy, the first matching row decides the expiration."""
    expirations: dict[str, int] = {}
    for row in job.alerts:
        if matches(row.match, metric.metric):
            for strategy in row.strategies:
                expirations.setdefault(strategy, row.expiration)
    return sum(
        int(let_through(metric.timestamps, metric.anomalous, expiration).sum()) for expiration in expirations.values()
    )


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(column.combine_chunks()).to_pylist()}


def reasons_of(matrix: MetricMatrix) -> dict[str, int]:
    """Metrics without any usable point, by reason."""
    return {ROW_REASONS[code]: count for code, count in Counter(matrix.reasons.tolist()).items() if code}
