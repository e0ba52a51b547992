"""Writes to state on a thread of its own, so that a slow store holds up no alert on its way to a healthy receiver."""

from __future__ import annotations

import queue
import threading
from typing import Final

from ridgeline.io.errors import RidgelineError
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State

MOST_CHANGES: Final = 500  # that wait are joined into one batch
PATIENCE: Final = 3  # a store that failed so often in a row is not asked again: each failure may take seconds


class Recorder:
    """Writes batches in the order they were put into `state`, which it alone uses and closes.

    Batches that wait are joined; none is split. After `close`, `failures` is the number of changes that may not have
    been made, and `reason` says why.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._waiting: queue.SimpleQueue[Batch | threading.Event | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._put = 0  # counted by the caller's thread alone
        self._written = 0  # counted by ours alone
        self._seen: threading.Event | None = None  # a mark that came after the batches just joined
        self.reason = ""

    @property
    def failures(self) -> int:
        """The changes that were put and are not known to have been made: before `close`, also those that wait."""
        return self._put - self._written

    def put(self, batch: Batch) -> None:
        """Hand over a batch, without waiting."""
        if not batch.changes:
            return
        self._put += len(batch.changes)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="ridgeline-recorder", daemon=True)
            self._thread.start()
        self._waiting.put(batch)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put so far has been tried, at most `timeout` seconds; whether all of it was written."""
        if self._thread is not None:
            mark = threading.Event()
            self._waiting.put(mark)
            mark.wait(max(timeout, 0.0))
        return not self.failures

    def close(self, timeout: float) -> None:
        """Wait until everything is written, at most `timeout` seconds, and let go of the state."""
        if self._thread is None:
            self._state.close()
            return
        self._waiting.put(None)
        self._thread.join(max(timeout, 0.0))
        if self._thread.is_alive():
            self.reason = self.reason or f"state took longer than {timeout:.3g} s to be written"
            self._state.abandon()
        self._thread = None

    def _work(self) -> None:
        in_a_row = 0
        while (batch := self._next()) is not None:
            if isinstance(batch, threading.Event):
                batch.set()
                continue
            if in_a_row >= PATIENCE:
                continue
            try:
                self._state.apply(batch)
            except RidgelineError as error:
                in_a_row += 1
                self.reason = self.reason or str(error)
            else:
                in_a_row = 0
                self._written += len(batch.changes)
        self._state.close()

    def _next(self) -> Batch | threading.Event | None:
        """The batches that wait, joined; a mark to set, where there is one before them; None at the end."""
        first, self._seen = self._seen or self._waiting.get(), None
        if not isinstance(first, Batch):
            return first
        joined = Batch(list(first.changes))
        while len(joined.changes) < MOST_CHANGES:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if not isinstance(more, Batch):
                if more is None:
                    self._waiting.put(None)  # the end, for the next time
                self._seen = more
                break
            joined.changes += more.changes
        return joined
