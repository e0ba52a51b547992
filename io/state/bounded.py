"""Any state, with an end to every wait: it is opened and used on a thread of its own, and left alone when it is slow.

Timeouts of sockets and databases bound silence. They do not bound a store that drips a byte now and then, a name that
is never resolved, or a disk that hangs; this does.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from ridgeline.io.errors import RidgelineError
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import MOST, State, StateError

T = TypeVar("T")
Task = tuple[Future[Any], Callable[[State], Any]]


class BoundedState(State):
    """The state that `open_state` opens, at the first use and again after it failed to.

    `timeout`: seconds an operation may take in all, opening included. `budget`: seconds that all operations together
    may keep their callers waiting; then each fails at once. `name` says in messages what is slow.
    """

    def __init__(
        self,
        open_state: Callable[[], State],
        name: str,
        *,
        timeout: float,
        budget: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_state, self._name, self._timeout, self._clock = open_state, name, timeout, clock
        self._left = budget
        self._state: State | None = None
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """As the state within."""
        return self._ask(lambda state: state.last_alerts(pairs))

    def alert_ttls(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """As the state within."""
        return self._ask(lambda state: state.alert_ttls(pairs))

    def operators(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """As the state within."""
        return self._ask(lambda state: state.operators(pairs))

    def get_many(self, keys: Sequence[str]) -> list[Any | None]:
        """As the state within."""
        return self._ask(lambda state: state.get_many(keys))

    def members(self, key: str, most: int = MOST) -> set[str]:
        """As the state within."""
        return self._ask(lambda state: state.members(key, most))

    def fields(self, key: str, most: int = MOST) -> dict[str, Any]:
        """As the state within."""
        return self._ask(lambda state: state.fields(key, most))

    def pick(self, key: str, names: Sequence[str]) -> list[Any | None]:
        """As the state within."""
        return self._ask(lambda state: state.pick(key, names))

    def size(self, key: str) -> int:
        """As the state within."""
        return self._ask(lambda state: state.size(key))

    def apply(self, batch: Batch) -> None:
        """As the state within. What was abandoned may still be made, later or in part."""
        self._ask(lambda state: state.apply(batch))

    def abandon(self) -> None:
        """Break off what the thread is waiting for."""
        if self._state is not None:
            self._state.abandon()

    def close(self) -> None:
        """Close the state within, if that takes no longer than `timeout`; else leave it to its thread."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join(self._timeout)
            self._thread = None

    def _ask(self, work: Callable[[State], T]) -> T:
        """What `work` makes of the state, on the thread."""
        if self._left <= 0:
            raise StateError(f"{self._name} is too slow, and is asked no more")
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="ridgeline-state", daemon=True)
            self._thread.start()
        patience, began = min(self._timeout, self._left), self._clock()
        answer: Future[T] = Future()
        self._tasks.put((answer, work))
        try:
            return answer.result(patience)
        except TimeoutError:
            if not answer.cancel():  # it is under way, not merely behind another
                self.abandon()
            raise StateError(f"{self._name} did not answer within {patience:.3g} s") from None
        finally:
            self._left -= self._clock() - began

    def _serve(self) -> None:
        """The thread: one task after the other."""
        while (task := self._tasks.get()) is not None:
            answer, work = task
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(work(self._opened()))
            except Exception as error:  # noqa: BLE001 - handed over to the thread that waits for it
                answer.set_exception(error)
        if self._state is not None:
            self._state.close()

    def _opened(self) -> State:
        if self._state is None:
            try:
                self._state = self._open_state()
            except RidgelineError as error:
                raise StateError(str(error)) from error
        return self._state
