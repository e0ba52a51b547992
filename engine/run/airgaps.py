"""Airgaps and disorder: told to the report, and to siblings that fill the one and sort the other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.airgaps import MOST, find_gaps
from ridgeline.engine.report.summary import Report
from ridgeline.engine.rules.airgaps import Airgaps
from ridgeline.engine.rules.matching import Patterns
from ridgeline.engine.run.airgap_members import Airgap, changes, metric_of
from ridgeline.engine.run.books.members import in_namespace, ours
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.score.plan import ScorePlan, resolve_as_of
from ridgeline.io.matrix import MetricMatrix

if TYPE_CHECKING:
    from ridgeline.engine.memory.judging import Judging
    from ridgeline.engine.run.gap_follower import GapFollower
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.turn import Turn

GAPS: Final = "analyzer.airgapped_metrics"
FILLED: Final = "analyzer.airgapped_metrics.filled"
UNORDERED: Final = "analyzer.unordered_timeseries"
MOST_OF_ALL: Final = 200_000  # gaps of one run that are told to siblings


class Looked(NamedTuple):
    """The metrics of one block; `read` bool[n]: those with points, `told` bool[n]: those whose gaps can be told."""

    metrics: pa.StringArray
    read: NDArray[np.bool_]
    told: NDArray[np.bool_]


@dataclass(slots=True)
class AirgapSink:
    """Looks for gaps in every series that is read, and for series that came unsorted; both before any preparation.

    filling   patterns of metrics that preparation fills: what is missing there is known, and no gap
    """

    settings: Airgaps
    plan: ScorePlan
    report: Report
    filling: tuple[str, ...] = ()
    wants_series: bool = True
    wants_all: bool = False
    gaps: list[Airgap] = field(default_factory=list)
    unordered: list[str] = field(default_factory=list)
    _check: Patterns = field(init=False)
    _skip: Patterns = field(init=False)
    _filling: Patterns = field(init=False)
    _open: int = 0
    _closed: int = 0
    _untold: int = 0
    _looked: list[Looked] = field(default_factory=list)
    _followed: GapFollower | None = None

    def __post_init__(self) -> None:
        self._check, self._skip = Patterns(self.settings.check), Patterns(self.settings.skip)
        self._filling = Patterns(self.filling)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Look at the block; only rows with something to tell cost more than the kernel."""
        if matrix is None:
            return
        series = matrix.cleaned
        gaps = find_gaps(series, resolve_as_of(series, self.plan), self.settings.max_period)
        self._looked.append(Looked(series.metrics, np.diff(series.offsets) > 0, gaps.step > 0))
        rows = np.flatnonzero((gaps.closed > 0) | (gaps.opened > 0) | (series.disordered > 0))
        for row, name, filled in self._in_scope(series, rows):
            if not filled:
                opened, closed = bool(gaps.opened[row]), int(gaps.closed[row])
                self._note(name, int(gaps.step[row]), gaps.of(row), opened=opened, closed=closed)
            if series.disordered[row]:
                self.unordered.append(name)

    def follow(self, memory: Remembered, judging: Judging) -> GapFollower:
        """What tells of the metrics that are not read."""
        from ridgeline.engine.run.gap_follower import GapFollower  # runs without memory do without

        self._followed = GapFollower(memory, self.settings.max_period, judging.as_of, judging.windows, self._wanted)
        return self._followed

    def settle(self, settled: Settled) -> None:  # noqa: ARG002 - the follower knows more of them
        """Look at those that are not read; only those with something to tell cost more than columns."""
        followed = self._followed
        if followed is None:
            return
        rows = followed.telling()
        names = followed.memory.names(rows)
        wanted = self._wanted(names)
        for row, name in zip(rows[wanted].tolist(), compress(names, wanted), strict=True):
            step, kept, opened = followed.gaps(row)
            self._note(name, step, kept, opened=opened)

    def finish(self, turn: Turn) -> None:
        """Bring the sets of airgaps and of unordered series up to date."""
        self.report.airgaps = {"open": self._open, "closed": self._closed, "unordered": len(self.unordered)}
        if self._untold:
            turn.warn(
                f"of {self._closed:,} airgaps {self._untold:,} are not told to siblings: "
                f"at most the newest {MOST} of a metric are, and {MOST_OF_ALL:,} of all"
            )
        if turn.ledger is None:
            return
        from ridgeline.io.redis.ledger import Members

        known, filled, unordered = turn.ledger.ask(Members(GAPS), Members(FILLED), Members(UNORDERED))
        known, filled = (ours(turn.share, metric_of, texts) for texts in (known, filled))
        found = changes(self.gaps, known, filled, turn.as_of - self.settings.max_period, self._told)
        turn.entries.remove(GAPS, found.remove)
        turn.entries.add(GAPS, found.add)
        turn.entries.remove(FILLED, found.forget)
        named = in_namespace(turn.request.config.source.settings.namespace)
        self._keep_unordered(turn, ours(turn.share, named, unordered))

    def _in_scope(self, series: MetricMatrix, rows: NDArray[np.int64]) -> Iterator[tuple[int, str, bool]]:
        """(row, name, whether it is filled) of those rows whose metrics are to be looked at."""
        if not len(rows):
            return
        every = series.metrics.to_pylist()
        names = [every[row] for row in rows]
        filled = self._filling.any(names)
        for at in np.flatnonzero(self._wanted(names)):
            yield int(rows[at]), names[at], bool(filled[at])

    def _wanted(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """In which of some metrics gaps are looked for, bool[k]."""
        wanted = self._check.any(names) if len(self._check) else np.ones(len(names), np.bool_)
        return wanted & ~self._skip.any(names)

    def _note(
        self, name: str, step: int, kept: Sequence[tuple[int, int]], *, opened: bool, closed: int | None = None
    ) -> None:
        """Keep the gaps of a metric; `closed`: how many there are, if more than are kept."""
        closed = len(kept) if closed is None else closed
        room = MOST_OF_ALL - len(self.gaps)
        self.gaps += [Airgap(name, step, start, end) for start, end in kept[:room]]
        self._open += opened
        self._closed += closed
        self._untold += closed - min(len(kept), room)

    def _keep_unordered(self, turn: Turn, known: Collection[str]) -> None:
        """Members are keys of series. What this run did not read it knows nothing of, unless it read everything."""
        namespace = turn.request.config.source.settings.namespace
        now = {f"{namespace}{name}" for name in self.unordered}
        rest = set(known) - now
        if not (turn.whole and turn.request.everything):
            metrics = {key.removeprefix(namespace) for key in rest}
            read = self._among(metrics, attrgetter("read"))
            if self._followed is not None:
                read |= self._followed.settled(metrics)
            rest = {key for key in rest if key.removeprefix(namespace) in read}
        turn.entries.remove(UNORDERED, sorted(rest))
        turn.entries.add(UNORDERED, sorted(now - set(known)))

    def _told(self, metrics: Collection[str]) -> set[str]:
        """Those of the metrics in whose series gaps could be told."""
        told = self._among(metrics, attrgetter("told"))
        return told if self._followed is None else told | self._followed.told(metrics)

    def _among(self, metrics: Collection[str], holding: Callable[[Looked], NDArray[np.bool_]]) -> set[str]:
        """Those of the metrics for which something holds."""
        if not metrics:
            return set()
        return {
            name
            for block in self._looked
            for name, holds in zip(block.metrics.to_pylist(), holding(block), strict=True)
            if holds and name in metrics
        }
