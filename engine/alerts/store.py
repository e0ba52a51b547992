"""The state as delivery uses it: reads that fail open, writes that nobody waits for.

An alert whose suppression or mute cannot be read is sent; one whose record cannot be written stays sent and may repeat
in the next run. A store that failed once is not read again in this run, since each failure may take seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ridgeline.io.state.interface import State, StateError

if TYPE_CHECKING:
    from ridgeline.engine.alerts.item import Pair
    from ridgeline.io.state.batch import Batch

T = TypeVar("T")
SETTLING: Final = 2.0  # seconds at the end of a delivery for what is still to be recorded


class Records(Protocol):
    """Where changes of state are put, in order: `ridgeline.io.state.recorder.Recorder`."""

    @property
    def failures(self) -> int:
        """Changes that are not known to have been made."""
        ...

    @property
    def reason(self) -> str:
        """Why."""
        ...

    def put(self, batch: Batch) -> None:
        """Hand over changes that belong together, without waiting."""
        ...

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put has been written, at most `timeout` seconds; whether it has."""
        ...


class Store:
    """Reads of `state` and writes through `records`. `left`: seconds that may be waited for what is written."""

    def __init__(self, state: State, records: Records, left: Callable[[], float] = lambda: math.inf) -> None:
        self._state, self._records, self._left = state, records, left
        self._broken = False
        self._reason = ""

    def read(self, ask: Callable[[State], T], otherwise: T) -> T:
        """What the state answers; `otherwise` if it cannot be asked."""
        if self._broken:
            return otherwise
        try:
            return ask(self._state)
        except StateError as error:
            self._broken, self._reason = True, str(error)
            return otherwise

    def last_alerts(self, pairs: Sequence[Pair]) -> Sequence[int | None]:
        """For each strategy and metric, the timestamp last alerted on; None where that is not known."""
        unknown: Sequence[int | None] = [None] * len(pairs)
        return self.read(lambda state: state.last_alerts(pairs), unknown) if pairs else unknown

    def write(self, batch: Batch) -> None:
        """Put changes that belong together, without waiting."""
        self._records.put(batch)

    def settle(self, timeout: float) -> bool:
        """Wait until what was written is safe, at most `timeout` seconds; not at all where the store is broken."""
        return not self._broken and self._records.flush(min(timeout, max(self._left() / 2, 0.0)))

    @property
    def problem(self) -> str:
        """What went wrong, in one sentence; empty if nothing did. Before the records are closed, what waits counts."""
        if self._broken:
            return f"{self._reason}, so alerts may repeat"
        if self._records.failures:
            what = self._records.reason or "not all that was sent is recorded yet"
            return f"{what}, so alerts may repeat"
        return ""
