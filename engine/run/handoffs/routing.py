"""Which metrics are `batch`'s as long as it is alive: what they have that is new goes into its queue, not through this run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.books.members import put_set
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.plan import ScorePlan
from ridgeline.engine.score.unjudged import unjudged
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.state.interface import as_timestamp

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Books, Ledger, Question

ALIVE: Final = "analyzer_batch"
QUEUE: Final = "analyzer.batch"
WATERMARKS: Final = "analyzer.last_timestamp.base_names"
WATERMARK: Final = "last_timestamp"
KNOWN: Final = "analyzer.batch_processing_metrics"
KNOWN_BEFORE: Final = "aet.analyzer.batch_processing_metrics"


@dataclass(slots=True)
class Routing:
    """Diverts the rows of `batch`'s metrics, and keeps their watermarks where this run judges them itself.

    plan        what verdicts look like
    watermarks  the newest point of each that was judged, epoch seconds; None: none ever was
    alive       whether `batch` takes work
    queue       the members that its queue gains
    """

    namespace: str
    plan: ScorePlan
    watermarks: Mapping[str, int | None]
    alive: bool
    wants_series: bool = False
    wants_all: bool = False
    queue: list[str] = field(default_factory=list)
    _judged: dict[str, int] = field(default_factory=dict)

    def divert(self, matrix: MetricMatrix) -> tuple[list[int], pa.RecordBatch | None]:
        """The rows that this run is not to judge, and what sinks are told of them: what is new goes into the queue."""
        if not self.alive:
            return [], None
        offsets, stamps = matrix.offsets, matrix.timestamps
        found = []
        for row, name in enumerate(matrix.metrics.to_pylist()):
            mark = self.watermarks.get(name)
            if mark is None or offsets[row] == offsets[row + 1]:
                continue
            newest = int(stamps[offsets[row + 1] - 1])
            if newest < mark:  # the watermark is ahead of the data: it is judged here, and the mark set right
                continue
            if newest > mark:
                self.queue.append(str([f"{self.namespace}{name}", mark, None]))
            found.append(row)
        return found, unjudged(matrix, found, "batch", self.plan) if found else None

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Note how far this run judged `batch`'s metrics itself."""
        columns = (verdicts.column(name).to_pylist() for name in ("metric", "outcome", "timestamp"))
        for name, outcome, stamp in zip(*columns, strict=True):
            theirs = name in self.watermarks and outcome != "skipped"
            if theirs and stamp is not None and stamp != self.watermarks[name]:
                self._judged[name] = stamp

    def settle(self, settled: Settled) -> None:
        """None of them is `batch`'s: those are read in full."""

    def finish(self, turn: Turn) -> None:
        """Add to the queue and keep the watermarks; where all metrics were listed, publish which are `batch`'s."""
        turn.entries.add(QUEUE, self.queue)
        turn.entries.put(WATERMARKS, {name: str(stamp) for name, stamp in self._judged.items()})
        if turn.of_the_fleet:
            put_set(turn, KNOWN, self.watermarks, previous=KNOWN_BEFORE)
        turn.handoffs.counts["batch"] += len(self.queue)


def route(
    patterns: tuple[str, ...], names: list[str], namespace: str, plan: ScorePlan, ledger: Ledger, sign: str = ALIVE
) -> Routing:
    """Ask whether `batch` is alive, by the key `sign`, and how far its metrics were judged. Raises StateError."""
    from ridgeline.io.redis.ledger import Strings

    theirs = [names[at] for at in np.flatnonzero(Patterns(patterns).any(names)).tolist()]
    if not theirs:
        return Routing(namespace, plan, {}, alive=False)
    marks, ((alive,),) = watermarks_of(theirs, ledger, Strings([sign]))
    return Routing(namespace, plan, marks, alive=alive is not None)


def watermarks_of(
    names: Sequence[str], ledger: Books, *beside: Question
) -> tuple[dict[str, int | None], Sequence[Any]]:
    """How far each metric was judged, epoch seconds, None where it never was; and the answers to what was asked beside.

    The hash goes before the older keys, a metric each. What is no time counts as never. Raises StateError.
    """
    from ridgeline.io.redis.ledger import Pick, Strings

    marks, *answers = ledger.ask(Pick(WATERMARKS, names), *beside)
    found = dict(zip(names, marks, strict=True))
    lacking = [name for name, mark in found.items() if mark is None]
    (older,) = ledger.ask(Strings([f"{WATERMARK}.{name}" for name in lacking]))
    found |= zip(lacking, older, strict=True)
    return {name: None if mark is None else as_timestamp(mark) or None for name, mark in found.items()}, answers
