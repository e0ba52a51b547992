"""Skyline's confirmation of counters: three runs in a row must find a counter before it is judged as one; then it stays one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.prepare.asks import Asks
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.run.state import open_run_state
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.state.interface import MOST, StateError
from ridgeline.io.state.names import COUNTERS
from ridgeline.kernels.prepare.layout import COUNTER, DERIVE, DETECT, WATCH

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn

CONFIRMED: Final = 3  # runs with new points that must have found a counter, one after the other
MEMORY: Final = 960  # seconds that an unconfirmed one is remembered for


@dataclass(frozen=True, slots=True)
class Latch:
    """What is known of one metric: how often it was found to be a counter, its newest point then, until when that holds.

    newest, until: epoch seconds, of the series and of the wall clock.
    """

    times: int
    newest: int
    until: int

    @classmethod
    def read(cls, stored: Any) -> Latch | None:
        """What was stored; None for what is no latch."""
        if isinstance(stored, list) and len(stored) == 3 and all(type(part) is int for part in stored):
            return cls(*stored)
        return None

    def as_json(self) -> list[int]:
        """What is stored."""
        return [self.times, self.newest, self.until]


@dataclass(slots=True)
class LatchSink:
    """Knows which metrics are counters by now; `now`: the wall clock, epoch seconds; `keep`: seconds that one stays one.

    Only series with a new point count. A run that cannot read the state takes each counter for one at once.
    """

    now: int
    keep: int
    wants_series: bool = True
    wants_all: bool = True
    known: dict[str, Latch] | None = None
    _changed: dict[str, Latch | None] = field(default_factory=dict)

    def recall(self, turn: Turn) -> None:
        """Read what the runs before knew."""
        try:
            with open_run_state(turn.request.config, turn.budget.reading_left()) as state:
                fields = state.fields(COUNTERS, MOST * max(len(turn.request.config.shards.hosts), 1))
        except StateError as error:
            turn.warn(f"{error}, so counters are not confirmed by earlier runs")
            return
        self.learn({name: fields[name] for name in turn.share.among(fields)})

    def learn(self, fields: Mapping[str, Any]) -> None:
        """Take what is stored of metrics; what is outdated, or no latch, is to be forgotten."""
        stored = {name: Latch.read(value) for name, value in fields.items()}
        self.known = {name: latch for name, latch in stored.items() if latch is not None and latch.until > self.now}
        self._changed = dict.fromkeys(stored.keys() - self.known.keys())

    def confirm(self, matrix: MetricMatrix, asks: Asks) -> Asks:
        """What is asked of each row, uint8[n], now that some are known to be counters and others are not yet."""
        if self.known is None:
            return asks
        found = np.where(asks & DETECT, (asks & ~np.uint8(DETECT)) | WATCH, asks).astype(np.uint8)
        newest = _newest(matrix)
        for row, name in enumerate(matrix.metrics.to_pylist()):
            latch = self.known.get(name)
            if latch is None or not asks[row] & DETECT:
                continue
            if latch.times >= CONFIRMED:
                found[row] |= DERIVE
            elif latch.times == CONFIRMED - 1 and newest[row] > latch.newest:
                found[row] = asks[row]  # if this run finds it once more, it is one
        return found

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Note which rows of the block were found to be counters."""
        if matrix is None or matrix.prepared.done is None or self.known is None:
            return
        counters = matrix.prepared.done & COUNTER
        newest = _newest(matrix.cleaned)
        for row, name in enumerate(matrix.cleaned.metrics.to_pylist()):
            latch = self.known.get(name)
            if counters[row]:
                self._note(name, latch, int(newest[row]))
            elif latch is not None and latch.times < CONFIRMED and newest[row] > latch.newest:
                self._changed[name] = None

    def settle(self, settled: Settled) -> None:
        """Never asked for: it sees every series whole."""

    def finish(self, turn: Turn) -> None:
        """Remember what changed."""
        if turn.request.dry_run or not self._changed:
            return
        with open_run_state(turn.request.config, turn.budget.books_left()) as state, state.batch() as batch:
            batch.put(COUNTERS, {name: latch.as_json() for name, latch in self._changed.items() if latch is not None})
            batch.drop(COUNTERS, [name for name, latch in self._changed.items() if latch is None])

    def _note(self, name: str, latch: Latch | None, newest: int) -> None:
        if latch is None:
            self._changed[name] = Latch(1, newest, self.now + MEMORY)
        elif latch.times >= CONFIRMED:
            if latch.until - self.now < self.keep // 2:
                self._changed[name] = Latch(latch.times, newest, self.now + self.keep)
        elif newest > latch.newest:
            times = latch.times + 1
            self._changed[name] = Latch(times, newest, self.now + (self.keep if times >= CONFIRMED else MEMORY))


def _newest(matrix: MetricMatrix) -> NDArray[np.int64]:
    """The newest timestamp of each row, int64[n]; 0 where it has none."""
    bounds = matrix.offsets
    found = np.zeros(len(matrix), np.int64)
    some = np.flatnonzero(np.diff(bounds))
    found[some] = matrix.timestamps[bounds[some + 1] - 1]
    return found
