"""The part of a run that reads and scores: every chunk of the source, overlapped, into a report."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa

from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.feed import Feed
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.scorer import Scorer
from ridgeline.io.errors import RidgelineError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.source import Source
from ridgeline.io.text import escape

BLOCK: Final = 1024  # rows per job of the pool
GRACE: Final = 1.0  # seconds that blocks get to end when the time for reading is over


@dataclass(slots=True)
class Scan:
    """Scores a whole source into a report.

    `left`: seconds until reading must end. `known(read)`: how many metrics there are, if that is known after reading
    so many.

    Afterwards `lost` holds the error that ended the source early, if any, and `late` whether the time ran out.
    """

    source: Source
    scorer: Scorer
    left: Callable[[], float]
    known: Callable[[int], int | None]
    progress: Callable[[int], None] | None = None
    lost: RidgelineError | None = None
    late: bool = False
    rows: int = 0
    _pending: deque[tuple[Future[tuple[pa.RecordBatch, float]], int]] = field(default_factory=deque)

    def run(self, report: Report) -> None:
        """Read and score until the source or the time runs out; what is not reached is counted as shed.

        Raises what the source raises if nothing at all was read before it, and InputError for impossible overrides.
        """
        pool = ThreadPoolExecutor(self.scorer.threads, thread_name_prefix="score")
        try:
            with Feed(self.source.chunks, self.left) as feed:
                for matrix in self._chunks(feed):
                    self._submit(pool, matrix, report)
                self.late |= feed.late
            self._collect(report, 0)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        self._count_unreached(report)
        report.seconds.update(load=self.source.seconds["load"], decode=self.source.seconds["decode"])

    def _chunks(self, feed: Feed) -> Iterator[MetricMatrix]:
        """What the feed gives until the source is lost. Only the source's own errors are caught here."""
        try:
            yield from feed
        except RidgelineError as error:
            if not self.rows:
                raise
            self.lost = error

    def _submit(self, pool: ThreadPoolExecutor, matrix: MetricMatrix, report: Report) -> None:
        report.repairs.update(matrix.repairs)
        self.rows += len(matrix)
        for start in range(0, len(matrix), BLOCK):
            block = matrix.slice(start, start + BLOCK) if len(matrix) > BLOCK else matrix
            if self.left() <= 0:
                self._shed(report, len(block))
                continue
            # Policies are given out here, in the coordinator: they are learned one metric after another.
            overrides = self.scorer.overrides
            index = overrides.assign(block.metrics.to_pylist() if overrides.overrides else ())
            plan = replace(self.scorer.plan, policies=overrides.policies)
            self._pending.append((pool.submit(_score, block, plan, index), len(block)))
            self._collect(report, 2 * self.scorer.threads)
        if self.progress is not None:
            self.progress(self.rows)

    def _collect(self, report: Report, waiting: int) -> None:
        """Take in finished blocks, in order, until at most `waiting` are left."""
        while len(self._pending) > waiting:
            future, rows = self._pending.popleft()
            try:
                verdicts, seconds = future.result(max(self.left(), 0.0) + GRACE)
            except RidgelineError:
                raise
            except TimeoutError:
                self._shed(report, rows)
            except Exception as error:  # noqa: BLE001 - a bug in scoring must not silence the other metrics
                report.add_unscored(rows, "error", "kernel_failed")
                report.problems.append(
                    f"scoring failed for {rows} metrics, a bug: {type(error).__name__}: {escape(error)}"
                )
            else:
                report.add(verdicts)
                report.seconds["score"] += seconds

    def _shed(self, report: Report, rows: int) -> None:
        self.late = True
        report.add_unscored(rows, "shed", "deadline")

    def _count_unreached(self, report: Report) -> None:
        known = self.known(self.rows)
        unreached = 0 if known is None else max(known - self.rows, 0)
        if self.lost is not None:
            report.add_unscored(unreached, "shed", "source_lost")
        elif unreached:
            self._shed(report, unreached)


def _score(matrix: MetricMatrix, plan: ScorePlan, index: Any) -> tuple[pa.RecordBatch, float]:
    began = time.perf_counter()
    return score_matrix(matrix, plan, index), time.perf_counter() - began
