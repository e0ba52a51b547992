"""Gathers what siblings are to know of every metric, and says it once the alerts are out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from ridgeline.engine.run.books.alerted import write_alerted
from ridgeline.engine.run.books.anomalous import write_anomalous
from ridgeline.engine.run.books.events import write_events
from ridgeline.engine.run.books.exceptions import KEYS, write_exceptions
from ridgeline.engine.run.books.judged import COLUMNS, Judged
from ridgeline.engine.run.books.normal import write_normal
from ridgeline.engine.run.books.past import NOTES, NOTES_KEPT, Notes, Past, look_back
from ridgeline.engine.run.books.quiet import write_newly_stale
from ridgeline.engine.run.books.rules import write_rules
from ridgeline.engine.run.books.stale_periods import write_stale_periods
from ridgeline.engine.run.books.timestamps import write_timestamps
from ridgeline.engine.run.hosts import disagreements, own_key
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series
from ridgeline.engine.run.turn import Turn

OF_THE_FLEET: Final[tuple[Callable[[Turn, Judged, Past], None], ...]] = (
    write_exceptions,
    write_normal,
    write_anomalous,
    write_newly_stale,
    write_rules,
    write_events,
)


@dataclass(slots=True)
class BooksSink:
    """Keeps what was judged, for the books. A run with `--match` says nothing of the fleet, of which it saw a part."""

    wants_series: bool = False
    wants_all: bool = False
    _judged: list[pa.RecordBatch] = field(default_factory=list)
    _settled: list[Settled] = field(default_factory=list)

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Keep columns that the verdicts hold already."""
        self._judged.append(verdicts.select(COLUMNS))

    def settle(self, settled: Settled) -> None:
        """Keep the columns."""
        self._settled.append(settled)

    def finish(self, turn: Turn) -> None:
        """Add every family's changes to the turn's entries."""
        if turn.ledger is None:
            return
        past = look_back(turn, turn.ledger, KEYS)
        write_alerted(turn, past)
        if turn.scan is None:
            return
        judged = Judged.of(self._judged, self._settled)
        write_timestamps(turn, judged, past)
        if not turn.of_the_fleet:
            return
        for write in OF_THE_FLEET:
            write(turn, judged, past)
        published = write_stale_periods(turn, judged, past)
        notes = Notes(past.notes.runs + 1, turn.as_of, published)
        shards = turn.request.config.shards
        turn.entries.set(own_key(shards, NOTES), notes.text(), NOTES_KEPT)
        for problem in disagreements(shards, past.signs, turn.as_of):
            turn.warn(problem)
