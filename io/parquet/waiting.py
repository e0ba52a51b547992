"""Waits that end: work on a thread that may hang for ever, because a file system or an endpoint does.

Threads are daemons: one that hangs holds up neither a signal nor the end of the process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Final, Generic, TypeVar

from ridgeline.io.errors import SourceUnavailable

PATIENCE: Final = 60.0  # seconds without any answer, after which a remote file system counts as gone
GOODBYE: Final = 1.0  # seconds a thread gets to end by itself

READING: Final = "ridgeline-parquet"  # name of the threads

T = TypeVar("T")
Left = Callable[[], float]


def patience(left: Left | None, *, remote: bool) -> Left | None:
    """Seconds that one wait may take: what `left` says; at most `PATIENCE` where remote; None: as long as it takes."""
    if not remote:
        return left
    return (lambda: PATIENCE) if left is None else (lambda: min(PATIENCE, left()))


def bounded(call: Callable[[], T], left: Left | None, what: str) -> T:
    """The result of a call. Raises SourceUnavailable when it is not there within `left` seconds."""
    return call() if left is None else next(ahead(iter_of(call), left, what))


def iter_of(call: Callable[[], T]) -> Iterator[T]:
    """The result of a call, made when it is asked for."""
    yield call()


def ahead(
    items: Iterator[T], left: Left | None, what: str, waited: Callable[[float], None] = lambda _: None
) -> Iterator[T]:
    """The items, each fetched while the one before it is used; `waited` is told the seconds spent waiting for each.

    What fetching raises is raised here. Raises SourceUnavailable when nothing comes within `left` seconds.
    """
    fetch = _Fetch(items)
    thread = threading.Thread(target=fetch.work, name=READING, daemon=True)
    thread.start()
    try:
        while True:
            began = perf_counter()
            seconds = None if left is None else max(left(), 0.0)
            try:
                found = fetch.ready.get(timeout=seconds)
            except queue.Empty:
                raise SourceUnavailable(f"{what}: nothing came within {seconds:.1f} s") from None
            waited(perf_counter() - began)
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            fetch.more.release()
            yield found[0]
    finally:
        fetch.stop = True
        fetch.more.release()
        thread.join(GOODBYE)


class _Fetch(Generic[T]):
    """Puts items into `ready`, one for each time that `more` is released; then None, or what was raised."""

    def __init__(self, items: Iterator[T]) -> None:
        self.items = items
        self.ready: queue.SimpleQueue[tuple[T] | BaseException | None] = queue.SimpleQueue()
        self.more = threading.Semaphore(1)
        self.stop = False

    def work(self) -> None:
        last: BaseException | None = None
        try:
            while self.more.acquire() and not self.stop:
                self.ready.put((next(self.items),))
        except StopIteration:
            pass
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for it
            last = error
        close = getattr(self.items, "close", None)
        if close is not None:
            close()
        self.ready.put(last)
