"""The ends or the beginnings of many values: one constant GETRANGE per key, pipelined over one connection into one arena.

A server answers these about ten times as fast as MGET answers whole values, so nothing here is done per key in Python:
a kernel writes the requests, and the caller's takes the replies in as they come.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import numpy as np
from numpy.typing import NDArray
from redis import exceptions as failed

from ridgeline.io.redis.explain import explain, explained, is_refusal
from ridgeline.io.redis.retry import LOADING_PAUSE, SILENT
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.wire import ERROR, LINE, error_of
from ridgeline.kernels.native.loader import entry

if TYPE_CHECKING:
    import redis

    from ridgeline.io.redis.connection import BoundedConnection
    from ridgeline.io.redis.wire import Wire

HEAD: Final = 19  # bytes of the longest pair that Skyline's listeners write: the first of a series lies within them
NEAR, FAR = (
    1,
    3,
)  # slices asked for before the replies to the one before them are here: on one machine, and over a network
SLICE: Final = 500  # requests: few enough for their replies to stay in the processor's cache
REPLIES: Final = 512 * 1024  # bytes of the replies to a slice; longer ones make slices of fewer requests
ROOM: Final = 256 * 1024  # bytes of the requests of a slice

Consume = Callable[[NDArray[np.uint8], int, int, int], tuple[int, int, int]]
"""`consume(data, at, have, done) -> (at, done, status)`: takes in the whole replies that lie in `data[at:have]`.

They answer `rows[done]`, `rows[done + 1]`, ... in this order. Returned: where the first reply lies that was not taken in, how
many rows are answered by now, and 0; another status if that reply is neither a value, nor an answer to one key
(-WRONGTYPE), nor the beginning of either.
"""


class Refused(Exception):  # noqa: N818 - reads as the sentence it is
    """The server, a proxy before it, or the user's rights do not allow the command; MGET may do. Says why."""


@dataclass(slots=True)
class Ranges:
    """Asks for parts of the values of keys; key i is `data[offsets[i]:offsets[i + 1]]`, uint8 and int64[n + 1].

    `left`: seconds until the deadline, when it just ends. `answered`: rows of the last question that `consume` has taken
    in, also where an error ended it. `bytes_read`: of all replies.
    """

    client: redis.Redis
    settings: RedisSettings
    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    left: Callable[[], float]
    answered: int = 0
    bytes_read: int = 0
    _connected: bool = False
    _out: NDArray[np.uint8] = field(default_factory=lambda: np.empty(ROOM, np.uint8))

    def tails(self, rows: NDArray[np.int64], size: int, consume: Consume) -> int:
        """Ask for the last `size` bytes of the values of rows int64[m]; return how many rows were answered: fewer at the deadline.

        What a broken connection left out is asked for once more on a fresh one, and a server that is loading its data is
        waited for. Raises Refused, SourceUnavailable and AuthenticationFailed.
        """
        return self._ask(_Question(rows, -size, -1, size, consume))

    def heads(self, rows: NDArray[np.int64], consume: Consume) -> int:
        """Ask for the first HEAD bytes of the values of rows int64[m]; else as `tails`."""
        return self._ask(_Question(rows, 0, HEAD - 1, HEAD, consume))

    def _ask(self, question: _Question) -> int:
        self.answered = 0
        failures, give_up = 0, time.monotonic() + self.settings.connect_budget
        with explained(self.settings):
            while self.answered < len(question.rows) and self.left() > 0:
                before, self._connected = self.answered, False
                try:
                    self._exchange(question)
                except failed.BusyLoadingError:
                    if time.monotonic() >= give_up:
                        raise
                    time.sleep(LOADING_PAUSE)
                except (failed.AuthenticationError, failed.AuthorizationError):
                    raise
                except failed.ResponseError as error:
                    if not is_refusal(error):
                        raise
                    raise Refused(str(explain(error, self.settings))) from error
                except (failed.ConnectionError, failed.TimeoutError, OSError) as error:
                    failures = 1 if self.answered > before else failures + 1
                    if failures > 1 and self.left() > 0:
                        if self._connected and not self.answered and not isinstance(error, SILENT):
                            raise Refused(f"Redis at {self.settings} hangs up when it is asked for GETRANGE") from error
                        raise
        return self.answered

    def _exchange(self, question: _Question) -> None:
        """Ask for what is not answered yet, and take in the replies."""
        pool = self.client.connection_pool
        connection = cast("BoundedConnection", pool.get_connection())
        self._connected = True
        send: Callable[..., None] = connection.send_packed_command
        wire, asked, ends = connection.wire, self.answered, deque[int]()
        ahead = FAR if self.settings.place().path is None else NEAR
        try:
            while self.answered < len(question.rows):
                while asked < len(question.rows) and len(ends) <= ahead and self.left() > 0:
                    asked, request = self._requests(question, asked)
                    send([request], False)
                    ends.append(asked)
                if not ends:
                    break
                self._receive(wire, question, asked)
                while ends and ends[0] <= self.answered:
                    ends.popleft()
            if self.answered < asked:
                connection.drop()  # what is still to come must not be taken for the answer to another question
        except BaseException:
            connection.drop()
            raise
        finally:
            pool.release(connection)

    def _requests(self, question: _Question, first: int) -> tuple[int, memoryview]:
        """(the row up to which this asks, the bytes) of the slice of requests that begins with a row."""
        written = np.zeros(1, np.int64)
        some = question.rows[first : first + question.most]
        while True:
            made = entry("requests")(self.data, self.offsets, some, question.command, question.part, self._out, written)
            if made:
                return first + made, self._out.data[: int(written[0])]
            self._out = np.empty(2 * len(self._out), np.uint8)

    def _receive(self, wire: Wire, question: _Question, asked: int) -> None:
        """Wait for bytes and take in the whole replies among them."""
        before = wire.ahead
        wire.receive()
        self.bytes_read += wire.ahead - before
        wire.at, self.answered, status = question.consume(wire.arena.data, wire.at, wire.at + wire.ahead, self.answered)
        if status:
            if wire.kind() == ERROR:
                raise error_of(wire.line())
            raise wire.refused("another kind of reply than was asked for")
        if self.answered > asked or (self.answered == asked and wire.ahead):
            raise wire.refused("more replies than there were requests")
        if wire.ahead > question.size + LINE:
            raise wire.refused("a longer reply than was asked for")
        wire.compact()  # the next bytes go to the beginning, which the processor still has at hand


@dataclass(slots=True)
class _Question:
    """The bytes `first` to `last` of the values of rows int64[m], at most `size` of each."""

    rows: NDArray[np.int64]
    first: int
    last: int
    size: int
    consume: Consume
    command: NDArray[np.uint8] = field(init=False)  # what stands before the key
    part: NDArray[np.uint8] = field(init=False)  # and after it

    def __post_init__(self) -> None:
        self.command = np.frombuffer(b"*4\r\n$8\r\nGETRANGE\r\n", np.uint8)
        words = (b"%d" % self.first, b"%d" % self.last)
        self.part = np.frombuffer(b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words), np.uint8)

    @property
    def most(self) -> int:
        """Requests of a slice."""
        return max(16, min(SLICE, REPLIES // (self.size + 16)))
