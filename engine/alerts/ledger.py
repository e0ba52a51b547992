"""The stages around sending: the suppression check before it, and the record after it.

Both fail open. An alert whose suppression cannot be read is sent; one whose record cannot be written stays sent and
may repeat in the next run. Failures are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from ridgeline.engine.alerts.item import Item
from ridgeline.io.state.batch import Alerted
from ridgeline.io.state.interface import State, StateError

BATCH = 500
PATIENCE = 3  # a store that failed so often in a row is not asked again in this run: each failure may take seconds


class Ledger:
    """Reads and writes the last alerts, and counts what went wrong."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._in_a_row = 0
        self.failures = 0
        self.reason = ""

    def drop_suppressed(self, items: Iterable[Item]) -> Iterator[Item]:
        """Mark as suppressed what was alerted within its expiration."""
        waiting = iter(items)
        while batch := list(islice(waiting, BATCH)):
            for item, last in zip(batch, self._last_alerts(batch), strict=True):
                yield item if last is None else item.suppressed()

    def record_sent(self, items: Iterable[Item]) -> Iterator[Item]:
        """Remember each sent alert for its expiration, as soon as it is sent and never before."""
        for item in items:
            if item.status == "sent" and item.alert.expiration > 0:
                self._record(item)
            yield item

    def _last_alerts(self, batch: list[Item]) -> list[int | None]:
        if not self._asks():
            return [None] * len(batch)
        try:
            found = self._state.last_alerts([(item.alert.strategy, item.alert.metric) for item in batch])
        except StateError as error:
            self._note(error)
            return [None] * len(batch)
        self._in_a_row = 0
        return found

    def _record(self, item: Item) -> None:
        alert = item.alert
        if not self._asks():
            self.failures += 1
            return
        try:
            self._state.record_alerts([Alerted(alert.strategy, alert.metric, alert.timestamp, alert.expiration)])
        except StateError as error:
            self._note(error)
        else:
            self._in_a_row = 0

    def _asks(self) -> bool:
        """Whether the store is still worth asking."""
        return self._in_a_row < PATIENCE

    def _note(self, error: StateError) -> None:
        self.failures += 1
        self._in_a_row += 1
        self.reason = self.reason or str(error)
