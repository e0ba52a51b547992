"""Takes chunks from a source on a thread of its own, so that loading overlaps with scoring and cannot hold up the run."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final, Self

from ridgeline.io.matrix import MetricMatrix

AHEAD: Final = 1  # chunks that may wait; more would only take memory, and fall out of caches
_POLL: Final = 0.1
_GOODBYE: Final = 1.0  # seconds the source gets to stop by itself; then its thread is abandoned


class Feed:
    """Iterates over the chunks of a source until they or the time (`left`, in seconds) run out.

    For use in a `with` block. What the source raises is raised here, after the chunks that came before it.
    `late`: the time ran out first.
    """

    def __init__(self, chunks: Callable[[], Iterator[MetricMatrix]], left: Callable[[], float]) -> None:
        self.late = False
        self._chunks, self._left = chunks, left
        self._queue: queue.Queue[MetricMatrix | BaseException | None] = queue.Queue(AHEAD)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(_GOODBYE)

    def __iter__(self) -> Iterator[MetricMatrix]:
        while True:
            try:
                found = self._queue.get(timeout=max(self._left(), 0.0))
            except queue.Empty:
                self.late = True
                return
            if found is None:
                return
            if isinstance(found, BaseException):
                raise found
            yield found

    def _work(self) -> None:
        last: BaseException | None = None
        try:
            for matrix in self._chunks():
                if not self._put(matrix):
                    return
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for it
            last = error
        self._put(last)

    def _put(self, item: MetricMatrix | BaseException | None) -> bool:
        """Hand over one item as soon as there is room; False when nobody wants it any more."""
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=_POLL)
            except queue.Full:
                continue
            return True
        return False
