"""MGET replies straight from the socket into memory that the decoder reads: no object per value, nothing copied twice.

A client library would build one bytes object per value (twice the time) and read whatever length the server claims.
Here a value longer than the limit is refused before it is read, and one reply never takes more memory than the budget.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import redis

BUDGET: Final = 32 * 2**20  # bytes of values handed over at once
PIECE: Final = 256 * 1024  # bytes per read from the socket
_HEADER: Final = 32  # "$" and any length fit
_LOADING_PAUSE: Final = 0.1

ABSENT: Final = -1  # for `starts`: no value; MGET says so of keys of another type too
TOO_LONG: Final = -2
WRONG_TYPE: Final = -3


class DeadlineError(Exception):
    """The time for reading is over."""


@dataclass(slots=True)
class Arena:
    """Memory that is filled again and again: replies land in `data`, uint8."""

    data: NDArray[np.uint8] = field(default_factory=lambda: np.empty(4 * 2**20, np.uint8))

    def reserve(self, needed: int, used: int) -> None:
        """Make room for `needed` bytes, keeping the first `used`."""
        if needed > len(self.data):
            grown = np.empty(max(needed, min(2 * len(self.data), len(self.data) + BUDGET)), np.uint8)
            grown[:used] = self.data[:used]
            self.data = grown


@dataclass(slots=True)
class Part:
    """Values of the keys `first`, `first + 1`, ...: bytes `starts[i]`:`ends[i]` of the arena; or a negative start: none."""

    first: int
    arena: Arena
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(slots=True)
class ValueReader:
    """Reads the values of keys through one connection of the client's pool.

    `limit`: bytes of the longest value to accept. `timeout`: seconds of silence allowed. `patience`: seconds to wait
    for a server that is loading its data. `left`: seconds until the deadline. `take`: gives an arena to fill.
    """

    client: redis.Redis
    take: Callable[[], Arena]
    limit: int
    timeout: float = 5.0
    patience: float = 5.0
    left: Callable[[], float] | None = None
    _connection: Any = None
    _arena: Arena | None = None

    def read(self, keys: Sequence[bytes]) -> Iterator[Part]:
        """Parts of one MGET, in order. What a broken connection left out is asked for once more on a fresh one.

        Raises redis.RedisError or OSError, and DeadlineError; the parts before stay good.
        """
        from redis import exceptions as failed

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
                time.sleep(_LOADING_PAUSE)
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
            connection.disconnect()

    def _check_deadline(self) -> float:
        """Seconds left; DeadlineError where there are none."""
        left = float("inf") if self.left is None else self.left()
        if left <= 0:
            raise DeadlineError
        return left

    def _free_arena(self) -> Arena:
        """The arena that a failed reply left unused, else another."""
        if self._arena is None:
            self._arena = self.take()
        return self._arena

    def _reply(self, keys: Sequence[bytes], done: int) -> Iterator[Part]:
        """Parts of the reply to one MGET of `keys[done:]`; the keys before a refused value only, and that one."""
        self._check_deadline()
        if self._connection is None:
            self._connection = self.client.connection_pool.get_connection()
        connection = self._connection
        try:
            connection.send_command("MGET", *keys[done:])
            stream = _Stream(connection, self, self._free_arena())
            count = stream.header(b"*", len(keys) - done)
            part = Part(done, stream.arena)
            for _ in range(count):
                length = stream.header(b"$")
                if length > self.limit:
                    # The rest of the reply lies behind it: the connection is dropped, the other keys are asked for again.
                    _append(part, TOO_LONG)
                    connection.disconnect()
                    break
                if stream.position + length > BUDGET and len(part):
                    self._arena = None
                    yield part
                    stream.move(self._free_arena())
                    part = Part(part.first + len(part), stream.arena)
                _append(part, *((ABSENT,) if length < 0 else stream.value(length)))
            self._arena = None
            yield part
        except BaseException:
            connection.disconnect()  # what is left of the reply must not be taken for the next one
            raise


def _append(part: Part, start: int, end: int = 0) -> None:
    part.starts.append(start)
    part.ends.append(end)


def _protocol_error(what: str) -> Exception:
    from redis.exceptions import InvalidResponse

    return InvalidResponse(f"Protocol error: {what}")


class _Stream:
    """The bytes of one reply, in the order they come: `position` is the next to look at, `have` the next to receive."""

    def __init__(self, connection: Any, reader: ValueReader, arena: Arena) -> None:
        self.arena = arena
        self.position = 0
        self._have = 0
        self._view = arena.data.data
        self._socket = connection._sock  # noqa: SLF001 - the library has no public way to its socket
        self._reader = reader
        self._parse_error = connection._parser.parse_error  # noqa: SLF001 - the library's own classes for error replies
        self._socket.settimeout(min(reader.timeout, reader._check_deadline()))  # noqa: SLF001 - one module, two classes

    def header(self, kind: bytes, expected: int | None = None) -> int:
        """The number of a line `*N` or `$N`; raises the error that the server sends instead, or for another number."""
        while True:
            line = bytes(self._view[self.position : min(self.position + _HEADER, self._have)])
            end = line.find(b"\r\n")
            if end >= 0 and line[:1] == kind:
                break
            if line[:1] == b"-":
                raise self._error()
            if (line and line[:1] != kind) or len(line) == _HEADER:
                raise _protocol_error(repr(line))
            self._receive()
        digits = line[1:end]
        if not (digits.isdigit() or digits == b"-1") or expected not in {None, int(digits)}:
            raise _protocol_error(repr(line))
        self.position += end + 2
        return int(digits)

    def value(self, length: int) -> tuple[int, int]:
        """Where the next `length` bytes lie, once they are here: start and end in the arena."""
        start = self.position
        end = start + length
        self.arena.reserve(end + 2 + PIECE, self._have)
        self._view = self.arena.data.data
        while self._have < end + 2:
            self._receive()
        if self._view[end] != 0x0D or self._view[end + 1] != 0x0A:
            raise _protocol_error("a value of another length than announced")
        self.position = end + 2
        return start, end

    def move(self, arena: Arena) -> None:
        """Go on in another arena, taking along what has been received but not looked at."""
        ahead = self._have - self.position
        arena.reserve(ahead + PIECE, 0)
        arena.data[:ahead] = self.arena.data[self.position : self._have]
        self.arena, self._view, self.position, self._have = arena, arena.data.data, 0, ahead

    def _receive(self) -> None:
        from redis.exceptions import ConnectionError as BrokenError

        self.arena.reserve(self._have + PIECE, self._have)
        self._view = self.arena.data.data
        self._reader._check_deadline()  # noqa: SLF001 - a server that trickles bytes is silent for no wait's length
        received = self._socket.recv_into(self._view[self._have : self._have + PIECE])
        if not received:
            raise BrokenError("the server closed the connection")
        self._have += received

    def _error(self) -> Exception:
        """The error reply that begins here."""
        while True:
            line = bytes(self._view[self.position : self._have])
            if b"\r\n" in line:
                error: Exception = self._parse_error(line[1 : line.index(b"\r\n")].decode("utf-8", "replace"))
                return error
            if len(line) > PIECE:
                return _protocol_error("an endless error")
            self._receive()
