"""Reads values ahead on a thread of its own, while the chunk before is decoded and scored."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from ridgeline.io.redis.arena import Arena
from ridgeline.io.redis.explain import explain
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.values import ABSENT, WRONG_TYPE, DeadlineError, Part, ValueReader
from ridgeline.io.redis.waiting_line import WaitingLine

if TYPE_CHECKING:
    import redis

ARENAS: Final = 3  # one being filled, one waiting, one being decoded
_POLL: Final = 0.1  # seconds between two looks at whether anyone still wants the values
_END: Final = None


class Prefetch:
    """Iterates over the parts of all chunks, in order; for use in a `with` block.

    An error of the source is raised after the parts that were read before it. At the deadline the parts just end.
    `give_back` returns a part's arena once it is decoded. `seconds`: time spent reading so far.
    """

    def __init__(
        self,
        client: redis.Redis,
        settings: RedisSettings,
        line: WaitingLine,
        limit: int,
        deadline: Callable[[], float] | None,
    ) -> None:
        self.seconds = 0.0
        self._client, self._settings, self._deadline = client, settings, deadline
        self._line = line
        self._stop = threading.Event()
        self._free: queue.SimpleQueue[Arena] = queue.SimpleQueue()
        for _ in range(ARENAS):
            self._free.put(Arena())
        self._parts: queue.SimpleQueue[Part | Exception | None] = queue.SimpleQueue()
        self._reader = ValueReader(client, self._take, limit, settings.connect_budget, self._left)
        self._thread = threading.Thread(target=self._work, name="redis-prefetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._reader.interrupt()
        self._thread.join()

    def __iter__(self) -> Iterator[Part]:
        while (found := self._parts.get()) is not _END:
            if isinstance(found, Exception):
                raise found
            yield found

    def give_back(self, arena: Arena) -> None:
        """Let the arena be filled again."""
        self._free.put(arena)

    def _work(self) -> None:
        try:
            size = self._settings.chunk_keys
            for first in range(0, len(self._line), size):
                self._line.look_ahead(first, self._left())
                self._read(first, self._line.keys[first : first + size])
        except DeadlineError:
            pass
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits for it
            self._parts.put(self._explained(error))
        finally:
            self._reader.close()
            self._parts.put(_END)

    def _read(self, first: int, keys: Sequence[bytes]) -> None:
        began = time.perf_counter()
        for part in self._reader.read(keys):
            self._find_wrong_types(part, keys)
            part.first += first
            self.seconds += time.perf_counter() - began
            self._parts.put(part)
            began = time.perf_counter()

    def _find_wrong_types(self, part: Part, keys: Sequence[bytes]) -> None:
        """Tell keys of another type from keys that are not there: MGET answers both alike. One round trip, if any."""
        absent = [i for i, start in enumerate(part.starts) if start == ABSENT]
        if not absent:
            return
        pipeline = self._client.pipeline(transaction=False)
        for i in absent:
            pipeline.type(keys[part.first + i])
        for i, kind in zip(absent, pipeline.execute(raise_on_error=False), strict=True):
            # A user who may not ask for types sees absent keys; a string has come into being since the MGET.
            if isinstance(kind, bytes) and kind not in {b"none", b"string"}:
                part.starts[i] = WRONG_TYPE

    def _left(self) -> float:
        if self._stop.is_set():
            return 0.0
        return float("inf") if self._deadline is None else self._deadline()

    def _take(self) -> Arena:
        """A free arena, as soon as the consumer gives one back."""
        began = time.perf_counter()
        while True:
            try:
                arena = self._free.get(timeout=_POLL)
            except queue.Empty:
                if self._left() <= 0:
                    raise DeadlineError from None
            else:
                self.seconds -= time.perf_counter() - began  # waiting for the consumer is not loading
                return arena

    def _explained(self, error: Exception) -> Exception:
        from redis.exceptions import RedisError

        return explain(error, self._settings) if isinstance(error, RedisError | OSError) else error
