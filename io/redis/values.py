"""MGET replies decoded as they come from the socket: no object per value, nothing copied twice, little kept in memory.

A client library would build one bytes object per value (twice the time) and read whatever length the server claims.
Here a value longer than the limit is refused before it is read. What has come is decoded while it is still in the
processor's cache, and meanwhile the server goes on sending.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from ridgeline.io.redis.block import Block
from ridgeline.io.redis.frames import mget
from ridgeline.kernels.decode.layout import FULL, MORE, ODD, REFUSED

if TYPE_CHECKING:
    import redis

    from ridgeline.io.redis.connection import BoundedConnection
    from ridgeline.io.redis.wire import Wire

LINGER: Final = 0.1  # seconds that rows wait for others, to be judged together
AHEAD: Final = 32 * 1024  # bytes of keys asked for ahead, at most: so many are sent whether or not anybody reads them


class DeadlineError(Exception):
    """The time for reading is over."""


@dataclass(slots=True)
class ValueReader:
    """Reads the values of keys through one connection of the client's pool.

    `begin`: gives a block for the values of the keys from a place on, once there is use for it. `patience`: seconds to
    wait for a server that is loading its data. `left`: seconds until the deadline.
    """

    client: redis.Redis
    begin: Callable[[int], Block]
    patience: float = 5.0
    left: Callable[[], float] | None = None
    _connection: BoundedConnection | None = None
    _block: Block | None = None
    _done: int = 0
    _asked: int = 0  # up to where replies are on their way

    def read(self, first: int, keys: Sequence[bytes], following: Sequence[bytes] = ()) -> Iterator[Block]:
        """Ask for keys, those from the place `first` on; blocks as they fill up, in order. What is left is in `rest`.

        `following`: the keys that will be read next. They are asked for too, so that the server never waits for us: it
        takes up to a third less of its time where it goes on in one breath.

        What a broken connection left out is asked for once more on a fresh one. Raises redis.RedisError or OSError, and
        DeadlineError; the replies that were whole stay good.
        """
        from redis import exceptions as failed

        from ridgeline.io.redis.retry import LOADING_PAUSE

        failures, give_up = 0, time.monotonic() + self.patience
        self._done = before = first
        while self._done < first + len(keys):
            try:
                yield from self._reply(keys[self._done - first :], following)
            except failed.BusyLoadingError:
                if time.monotonic() >= give_up:
                    raise
                time.sleep(LOADING_PAUSE)
            except (failed.AuthenticationError, failed.AuthorizationError):
                raise
            except (failed.ConnectionError, failed.TimeoutError, OSError):
                self._check_deadline()
                failures = 1 if self._done > before else failures + 1
                if failures > 1:
                    raise
            before = self._done

    def rest(self, age: float = 0.0) -> Block | None:
        """The rows that were read and not handed over, if there are any and the first has waited `age` seconds."""
        block = self._block
        if block is None or not len(block) or time.monotonic() - block.born < age:
            return None
        self._block = None
        return block

    def close(self) -> None:
        """Give the connection back; from another thread only after `interrupt`."""
        if self._connection is not None:
            if self._asked > self._done:
                self._drop(self._connection)
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

    def _ask(self, keys: Sequence[bytes], following: Sequence[bytes]) -> BoundedConnection:
        """Ask for what was not asked for already."""
        connection, end = self._connected(), self._done + len(keys)
        if self._asked <= self._done:
            connection.ask(mget(keys))
            self._asked = end
        if self._asked == end and following and sum(map(len, following)) <= AHEAD:
            connection.ask(mget(following))
            self._asked += len(following)
        return connection

    def _drop(self, connection: BoundedConnection) -> None:
        """Close the connection: what is left of replies must not be taken for the next ones."""
        connection.drop()
        self._asked = self._done

    def _reply(self, keys: Sequence[bytes], following: Sequence[bytes]) -> Iterator[Block]:
        """Take in the reply to one MGET; the keys behind a refused value are left out."""
        from ridgeline.io.redis.wire import LIST

        self._check_deadline()
        connection = self._connected()
        try:
            wire = self._ask(keys, following).wire
            if not self._comes_soon(wire, 1) and (block := self.rest()) is not None:
                yield block
            if wire.header(LIST) != len(keys):
                raise wire.refused("another number of values than of keys")  # noqa: TRY301 - ends like any other failure
            yield from self._values(connection, self._done + len(keys))
        except BaseException:
            self._drop(connection)
            if self._block is not None:
                self._block.cut(self._done - self._block.first)
            raise

    def _comes_soon(self, wire: Wire, size: int) -> bool:
        """Wait until so many bytes lie ahead; but where rows were read, which somebody may judge meanwhile, not for long."""
        from ridgeline.io.redis.connection import TimeIsUpError

        socket = wire.socket
        if self._block is None or not len(self._block) or socket is None:
            wire.fetch(size)
            return True
        patience = socket.gettimeout()
        socket.settimeout(LINGER)
        try:
            wire.fetch(size)
        except TimeIsUpError:
            raise
        except TimeoutError:
            return False
        finally:
            socket.settimeout(patience)
        return True

    def _values(self, connection: BoundedConnection, end: int) -> Iterator[Block]:
        """Take in the values of the keys up to the place `end`."""
        at, wire = self._done, connection.wire
        while at < end:
            if self._block is None:
                self._block = self.begin(at)
            block = self._block
            status = block.take(wire, end - at)
            at = block.first + len(block)
            waits = status == MORE and not self._comes_soon(wire, block.need)
            if status == FULL and not len(block):
                block.widen()
            elif status == FULL or block.full or waits:
                self._block, self._done = None, at
                yield block
            elif status == REFUSED:
                # The rest of the reply lies behind it: the connection is dropped, the other keys are asked for again.
                block.refuse()
                self._done = at + 1
                self._drop(connection)
                return
            elif status == ODD:
                raise _fault(wire)
        self._done = at


def _fault(wire: Wire) -> Exception:
    """What is wrong with the value that lies ahead."""
    from ridgeline.io.redis.wire import BULK

    wire.header(BULK)  # raises what the server sent instead, or what is wrong with the header
    return wire.refused("a value of another length than announced")
