"""Where a scored block goes. Each duty of a run that looks at metrics one by one is a sink of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.report.summary import Report
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.score.tally import tally_of
from ridgeline.engine.score.verdicts import OUTCOMES, REASONS
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import FAILED, NULL

if TYPE_CHECKING:
    from ridgeline.alerters import Alert
    from ridgeline.engine.run.turn import Turn
    from ridgeline.engine.score.matrix import Judged


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The series of the rows of one block that were read whole, metrics in the order of the verdicts.

    cleaned    as the source gave them
    prepared   as they were judged, one by one
    judged     what was found, as kernels wrote it; None where nothing was judged
    """

    cleaned: MetricMatrix
    prepared: Prepared
    judged: Judged | None = None


class Sink(Protocol):
    """Sees every verdict of a run, block after block in the order of the source, on the thread that coordinates.

    wants_series   whether `take` is to be given series; they cost memory for as long as a sink holds on to them
    wants_all      whether it must see every series whole: then nothing is settled without reading it so
    """

    @property
    def wants_series(self) -> bool:
        """Whether it needs cleaned and prepared series."""
        ...

    @property
    def wants_all(self) -> bool:
        """Whether it must see every series whole."""
        ...

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Take in the verdicts of one block; `matrix` is None unless series are wanted and some row was read whole."""
        ...

    def settle(self, settled: Settled) -> None:
        """Take in the metrics that were judged without being read whole, all at once, before any block."""
        ...

    def finish(self, turn: Turn) -> None:
        """Write what was gathered: after the alerts, within the share for bookkeeping, and nothing in a dry run."""
        ...


@runtime_checkable
class Illustrator(Sink, Protocol):
    """The sink that draws pictures of alerts. `problem`: why some are missing, in one sentence; empty if none is."""

    @property
    def problem(self) -> str:
        """Why pictures are missing."""
        ...

    def seconds(self) -> float:
        """How long drawing may take that begins now."""
        ...

    def draw(self, alerts: Sequence[Alert], most: int) -> Mapping[str, bytes]:
        """PNG by metric, of the first alerts whose series are there, at most so many."""
        ...


@dataclass(frozen=True, slots=True)
class ReportSink:
    """Counts everything; the first of all sinks. `names`: of all algorithms, in the order of verdict columns."""

    report: Report
    names: Sequence[str] = ()
    wants_series: bool = True
    wants_all: bool = False

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:
        """Count the verdicts: by their codes where that tells all, for words take ten times as long."""
        judged = None if matrix is None else matrix.judged
        if judged is None or (judged.votes == FAILED).any():
            self.report.add(verdicts)
            return
        self.report.add_settled(_counted(judged.outcomes, OUTCOMES), _counted(judged.reasons, REASONS))
        given = dict(zip(self.names, (judged.votes < NULL).sum(axis=1).tolist(), strict=True))
        in_force = {name: given[name] for name in self.report.algorithms}
        self.report.add_votes(in_force, verdicts if judged.anomalous.any() else None)

    def settle(self, settled: Settled) -> None:
        """Count them by what came of them, without a verdict row for any."""
        self.report.add_settled(_counted(settled.outcomes, OUTCOMES), _counted(settled.reasons, REASONS))
        self.report.prepared.update(tally_of(settled.outcomes, settled.counters, settled.done))
        self.report.sparse.update(settled.sparse)

    def finish(self, turn: Turn) -> None:
        """Nothing is written: the summary comes at the end of the run."""


def _counted(codes: NDArray[np.uint8], words: Sequence[str]) -> dict[str, int]:
    """How often each word that codes stand for occurs; of those that are words, and occur."""
    counts = np.bincount(codes, minlength=len(words)).tolist()
    return {word: count for word, count in zip(words, counts, strict=True) if word and count}
