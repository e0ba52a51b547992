"""Reads and decodes values ahead on a thread of its own, while what came before is judged."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from ridgeline.io.redis.block import WRONG_TYPE, Block
from ridgeline.io.redis.explain import explain
from ridgeline.io.redis.rooms import Rooms
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.values import LINGER, DeadlineError, ValueReader
from ridgeline.io.redis.waiting_line import WaitingLine

if TYPE_CHECKING:
    import redis

AHEAD: Final = 2  # blocks that nobody has taken yet: one being filled, one waiting
_POLL: Final = 0.1  # seconds between two looks at whether anyone still wants the values
_END: Final = None


class Prefetch:
    """Iterates over the blocks of all values, in order; for use in a `with` block.

    An error of the source is raised after the blocks that were read before it. At the deadline the blocks just end.
    `seconds`: time spent reading so far, decoding included.
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
        self._line, self._limit = line, limit
        self._stop = threading.Event()
        self._room, self._rooms = threading.Semaphore(AHEAD), Rooms()
        self._blocks: queue.SimpleQueue[Block | Exception | None] = queue.SimpleQueue()
        self._reader = ValueReader(client, self._begin, settings.connect_budget, self._left)
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
        self._rooms = Rooms()  # it and its reader know each other, and a warm process would hold the columns meanwhile

    def __iter__(self) -> Iterator[Block]:
        while (found := self._blocks.get()) is not _END:
            if isinstance(found, Exception):
                raise found
            self._room.release()
            yield found

    def _work(self) -> None:
        try:
            self._read()
        except DeadlineError:
            self._give(self._reader.rest())
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits for it
            self._give(self._reader.rest())
            self._blocks.put(self._explained(error))
        finally:
            self._reader.close()
            self._blocks.put(_END)

    def _read(self) -> None:
        first, size = 0, self._settings.chunk_keys
        keys = self._next(first, size)
        while keys:
            began = time.perf_counter()
            following = self._piece(first + len(keys), size, first, _no_time)
            for block in self._reader.read(first, keys, following):
                self._give(block)
            self._give(self._reader.rest(LINGER))
            self.seconds += time.perf_counter() - began
            first += len(keys)
            keys = following or self._next(first, size)
        self._give(self._reader.rest())

    def _next(self, first: int, size: int) -> list[bytes]:
        """The keys to ask for next, as soon as they are known."""
        keys = self._piece(first, size, first, self._left)
        if not keys and self._line.is_open:
            raise DeadlineError
        return keys

    def _piece(self, first: int, size: int, read: int, left: Callable[[], float]) -> list[bytes]:
        """The keys from a place on, as soon as they are known, in the order that there is time for; so many were `read`."""
        count = len(self._line.piece(first, size, left))
        if count:
            self._line.look_ahead(first, read, self._left())
        return self._line.keys[first : first + count]

    def _give(self, block: Block | None) -> None:
        if block is not None:
            self._find_wrong_types(block)
            self._blocks.put(block)

    def _find_wrong_types(self, block: Block) -> None:
        """Tell keys of another type from keys that are not there: MGET answers both alike. One round trip, if any."""
        absent = block.absent().tolist()
        if not absent:
            return
        pipeline = self._client.pipeline(transaction=False)
        for row in absent:
            pipeline.type(self._line.keys[block.first + row])
        for row, kind in zip(absent, pipeline.execute(raise_on_error=False), strict=True):
            # A user who may not ask for types sees absent keys; a string has come into being since the MGET.
            if isinstance(kind, bytes) and kind not in {b"none", b"string"}:
                block.sizes[row] = WRONG_TYPE

    def _left(self) -> float:
        if self._stop.is_set():
            return 0.0
        return float("inf") if self._deadline is None else self._deadline()

    def _begin(self, first: int) -> Block:
        """A block to fill, as soon as the consumer is not too far behind."""
        began = time.perf_counter()
        while not self._room.acquire(timeout=_POLL):
            if self._left() <= 0:
                raise DeadlineError
        self.seconds -= time.perf_counter() - began  # waiting for the consumer is not loading
        return Block(first, self._limit, self._rooms)

    def _explained(self, error: Exception) -> Exception:
        from redis.exceptions import RedisError

        return explain(error, self._settings) if isinstance(error, RedisError | OSError) else error


def _no_time() -> float:
    """Seconds to wait for keys that nobody knows yet."""
    return 0.0
