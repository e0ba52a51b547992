"""MGET replies straight from the socket into memory that the decoder reads: no object per value, nothing copied twice.

A client library would build one bytes object per value (twice the time) and read whatever length the server claims.
Here a value longer than the limit is refused before it is read, and one reply never takes more memory than the budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from ridgeline.io.redis.arena import Arena

if TYPE_CHECKING:
    import redis

    from ridgeline.io.redis.connection import BoundedConnection

BUDGET: Final = 32 * 2**20  # bytes of values handed over at once

ABSENT: Final = -1  # for `starts`: no value; MGET says so of keys of another type too
TOO_LONG: Final = -2
WRONG_TYPE: Final = -3


class DeadlineError(Exception):
    """The time for reading is over."""


@dataclass(slots=True)
class Part:
    """Values of the keys `first`, `first + 1`, ...: bytes `starts[i]`:`ends[i]` of the arena; or a negative start: none."""

    first: int
    arena: Arena
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.starts)

    def append(self, start: int, end: int = 0) -> None:
        """Add the next value."""
        self.starts.append(start)
        self.ends.append(end)


@dataclass(slots=True)
class ValueReader:
    """Reads the values of keys through one connection of the client's pool.

    `limit`: bytes of the longest value to accept. `patience`: seconds to wait for a server that is loading its data.
    `left`: seconds until the deadline. `take`: gives an arena to fill.
    """

    client: redis.Redis
    take: Callable[[], Arena]
    limit: int
    patience: float = 5.0
    left: Callable[[], float] | None = None
    _connection: BoundedConnection | None = None
    _arena: Arena | None = None

    def read(self, keys: Sequence[bytes]) -> Iterator[Part]:
        """Parts of one MGET, in order. What a broken connection left out is asked for once more on a fresh one.

        Raises redis.RedisError or OSError, and DeadlineError; the parts before stay good.
        """
        from redis import exceptions as failed

        from ridgeline.io.redis.retry import LOADING_PAUSE

        done, failures, give_up = 0, 0, time.monotonic() + self.patience
        while done < len(keys):
            try:
                for part in self._reply(keys, done):
                    done += len(part)
                    failures = 0
                    yield part
            except failed.BusyLoadingError:
                if time.monotonic() >= give_up:
                    raise
                time.sleep(LOADING_PAUSE)
            except (failed.AuthenticationError, failed.AuthorizationError):
                raise
            except (failed.ConnectionError, failed.TimeoutError, OSError):
                self._check_deadline()
                failures += 1
                if failures > 1:
                    raise

    def close(self) -> None:
        """Give the connection back; from another thread only after `interrupt`."""
        if self._connection is not None:
            self.client.connection_pool.release(self._connection)
            self._connection = None

    def interrupt(self) -> None:
        """Break off a read that another thread is waiting in."""
        connection = self._connection
        if connection is not None:
            connection.drop()

    def _check_deadline(self) -> None:
        if self.left is not None and self.left() <= 0:
            raise DeadlineError

    def _connected(self) -> BoundedConnection:
        if self._connection is None:
            self._connection = cast("BoundedConnection", self.client.connection_pool.get_connection())
        return self._connection

    def _free_arena(self) -> Arena:
        """The arena that a failed reply left unused, else another."""
        if self._arena is None:
            self._arena = self.take()
        return self._arena

    def _reply(self, keys: Sequence[bytes], done: int) -> Iterator[Part]:
        """Parts of the reply to one MGET of `keys[done:]`; the keys before a refused value only, and that one."""
        from ridgeline.io.redis.wire import BULK, LIST

        self._check_deadline()
        connection = self._connected()
        try:
            wire = connection.ask("MGET", *keys[done:])
            wire.use(self._free_arena())
            count = wire.header(LIST)
            if count != len(keys) - done:
                raise wire.refused("another number of values than of keys")  # noqa: TRY301 - ends like any other failure
            part = Part(done, wire.arena)
            for _ in range(count):
                length = wire.header(BULK)
                if length > self.limit:
                    # The rest of the reply lies behind it: the connection is dropped, the other keys are asked for again.
                    part.append(TOO_LONG)
                    connection.drop()
                    break
                if wire.at + length > BUDGET and len(part):
                    self._arena = None
                    yield part
                    wire.use(self._free_arena())
                    part = Part(part.first + len(part), wire.arena)
                part.append(*((ABSENT,) if length < 0 else wire.value(length)))
            self._arena = None
            wire.use()  # the part's is no longer ours to write to
            yield part
        except BaseException:
            connection.drop()  # what is left of the reply must not be taken for the next one
            raise
