"""Reads and scores every chunk of a source, overlapped, and hands what was scored to the sinks in order."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.feed import Feed
from ridgeline.engine.run.sinks import Series, Sink
from ridgeline.engine.run.workers import Workers
from ridgeline.engine.score.scorer import Assigned, Scored, Scorer
from ridgeline.engine.score.unjudged import Unjudged
from ridgeline.io.errors import RidgelineError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.source import Source
from ridgeline.io.text import escape

HELD: Final = 4096  # rows, with their series, that may wait for what needs no reading
Diverted = tuple[
    list[int], pa.RecordBatch | None
]  # rows, ascending, and what is said of them; None where there are none


@dataclass(slots=True)
class Scan:
    """Scores a whole source. `left`: seconds until reading must end; `landing`: until the last block must have ended.

    `progress` is told of rows as they are read. `divert` says which rows of a block are not judged here, `cut` gives
    what is left of their series. `before` is called once, before the first block is handed out, and returns how many metrics
    were judged without being read whole; meanwhile blocks are read and scored, and a few of them held back.

    Afterwards `settled` is what it returned; `lost` holds the error that ended the source early, if any; `late` whether the time ran out; `rows` how
    many metrics were read, `tried` how many of them were given to be judged, `missed` (from, to) which were not judged for
    want of time or source, counted in the order of reading; `bugs` a sentence for each of ours; `leads` what `Scored` says,
    of all rows.
    """

    source: Source
    scorer: Scorer | Unjudged
    report: Report
    sinks: list[Sink]
    left: Callable[[], float]
    landing: Callable[[], float]
    progress: Callable[[int], None] | None = None
    divert: Callable[[MetricMatrix], Diverted] | None = None
    cut: Callable[[MetricMatrix], MetricMatrix] | None = None
    before: Callable[[], int] | None = None
    settled: int = 0
    lost: RidgelineError | None = None
    late: bool = False
    rows: int = 0
    tried: int = 0
    missed: list[tuple[int, int]] = field(default_factory=list)
    bugs: list[str] = field(default_factory=list)
    leads: list[NDArray[np.int64]] = field(default_factory=list)
    _pending: deque[tuple[Future[tuple[Scored, float]], MetricMatrix, int]] = field(default_factory=deque)

    def run(self) -> None:
        """Read and score until the source or the time runs out; what is not reached is counted as shed.

        Raises what the source raises if nothing at all was read or settled before it.
        """
        workers = Workers(self.scorer.threads, "score")
        try:
            with Feed(self.source.chunks, self.left) as feed:
                for matrix in self._chunks(feed):
                    self._submit(workers, matrix)
                self.late |= feed.late
            self._settle()
            self._collect(0)
        finally:
            workers.stop()
        self._count_unreached()
        spent = self.source.seconds
        self.report.seconds.update(load=spent["load"], decode=spent["decode"])

    def _chunks(self, feed: Feed) -> Iterator[MetricMatrix]:
        """What the feed gives until the source is lost. Only the source's own errors are caught here."""
        try:
            yield from feed
        except RidgelineError as error:
            self._settle()
            if not (self.rows or self.settled):
                raise
            self.lost = error

    def _settle(self) -> None:
        """Have told what needs no reading, before anything else is."""
        if self.before is not None:
            before, self.before = self.before, None
            self.settled = before()

    def _submit(self, workers: Workers, matrix: MetricMatrix) -> None:
        self.report.repairs.update(matrix.repairs)
        matrix = matrix if self.cut is None else self.cut(matrix)
        before, self.rows = self.rows, self.rows + len(matrix)
        most = self.scorer.at_once
        for start in range(0, len(matrix), most):
            block = matrix.slice(start, start + most) if len(matrix) > most else matrix
            if self.left() <= 0:
                self._shed(before + start, len(block))
                continue
            self.tried = before + start + len(block)
            for at, part in self._ours(block):
                # Policies are given out here, in the coordinator: they are learned one metric after another.
                assigned = self.scorer.assign(part)
                self._pending.append((workers.submit(_judge, self.scorer, part, assigned), part, before + start + at))
                if self.before is None or sum(len(waiting) for _, waiting, _ in self._pending) > HELD:
                    self._collect(self.scorer.threads)
        if self.progress is not None:
            self.progress(len(matrix))

    def _ours(self, block: MetricMatrix) -> Iterator[tuple[int, MetricMatrix]]:
        """The stretches of a block that are judged here, and where they begin; sinks are told of the rows between them."""
        rows, verdicts = ([], None) if self.divert is None else self.divert(block)
        if verdicts is None:
            yield 0, block
            return
        self._settle()
        self._hand_out(None, verdicts)
        for before, row in pairwise([-1, *rows, len(block)]):
            if before + 1 < row:
                yield before + 1, block.slice(before + 1, row)

    def _collect(self, waiting: int) -> None:
        """Take in finished blocks, in order, and until at most `waiting` are left: each holds memory that the next could use."""
        while self._pending and (len(self._pending) > waiting or self._pending[0][0].done()):
            self._settle()
            future, block, first = self._pending.popleft()
            try:
                scored, seconds = future.result(max(self.landing(), 0.0))
            except RidgelineError:
                raise
            except TimeoutError:
                self._shed(first, len(block))
            except Exception as error:  # noqa: BLE001 - a bug in scoring must not cost the other metrics their alerts
                self.report.add_unscored(len(block), "error", "kernel_failed")
                self._note_bug(f"scoring failed for {len(block)} metrics", error)
            else:
                self.report.seconds["score"] += seconds
                self.report.repairs.update(scored.repairs)
                self.report.prepared.update(scored.tally)
                self.report.sparse.update(scored.sparse)
                self.leads.append(scored.leads)
                self._hand_out(Series(block, scored.prepared, scored.judged), scored.verdicts)

    def _hand_out(self, series: Series | None, verdicts: pa.RecordBatch) -> None:
        """Give a block to every sink; one that fails is given no more, and costs no other its blocks."""
        for sink in list(self.sinks):
            try:
                sink.take(series if sink.wants_series else None, verdicts)
            except Exception as error:  # noqa: BLE001 - a bug in one duty must not keep alerts back
                self.sinks.remove(sink)
                self._note_bug(f"{type(sink).__name__} failed", error)

    def _note_bug(self, what: str, error: Exception) -> None:
        self.bugs.append(f"{what}, a bug: {type(error).__name__}: {escape(error)}")

    def _shed(self, first: int, rows: int, reason: str = "deadline") -> None:
        self.late |= reason == "deadline"
        self.missed.append((first, first + rows))
        self.report.add_unscored(rows, "shed", reason)

    def _count_unreached(self) -> None:
        known = self.source.known(self.rows)
        unreached = 0 if known is None else max(known - self.rows, 0)
        if unreached:
            self._shed(self.rows, unreached, "deadline" if self.lost is None else "source_lost")


def _judge(scorer: Scorer | Unjudged, matrix: MetricMatrix, assigned: Assigned) -> tuple[Scored, float]:
    began = time.perf_counter()
    return scorer.judge(matrix, assigned, threads=1), time.perf_counter() - began
