"""Redis' replies as the client library wants them, in the place of its own readers.

Those take memory for whatever a server announces, read lines without end, and trip over numbers that are none. This one
refuses what cannot be right with one kind of error.
"""

from __future__ import annotations

import errno
from typing import Any, Final

from redis._parsers import BaseParser  # the library has no public name for what it calls a parser
from redis.exceptions import ConnectionError as BrokenError

from ridgeline.io.redis.wire import BULK, ERROR, INTEGER, LIST, PIECE, TEXT, Wire, error_of

WHOLE: Final = 64 * 2**20  # bytes of one reply; the values of MGET, handed over in parts, have a limit of their own
DEEPEST: Final = 8  # lists within lists; EXEC needs two
_SHORTEST: Final = 4  # bytes of the shortest reply there is, ":1\r\n"
_DIGITS: Final = 20  # of a whole number and its sign
_NOTHING_YET: Final = frozenset({errno.EAGAIN, 2})  # 2: TLS wants more before it has a byte for us


class ReplyReader(BaseParser):
    """A parser, as the library calls it, of one connection's replies; `wire` is there for those who read on their own.

    What is no RESP2, or larger than allowed, is InvalidResponse.
    """

    def __init__(self, socket_read_size: int = 0) -> None:  # noqa: ARG002 - the library's signature
        self.wire = Wire()
        self._most = 0

    def on_connect(self, connection: Any) -> None:
        """Begin with a new socket."""
        self.wire.open(connection._sock)  # noqa: SLF001 - how the library hands its socket over

    def on_disconnect(self) -> None:
        """Let the socket go."""
        self.wire.socket = None

    def can_read(self, timeout: float = 0.0) -> bool:
        """Whether bytes are there that nobody asked for, after at most `timeout` seconds."""
        if self.wire.ahead:
            return True
        socket = self.wire.socket
        before = socket.gettimeout()
        socket.settimeout(timeout)
        try:
            self.wire.receive()
        except TimeoutError:
            return False
        except OSError as error:
            if error.errno in _NOTHING_YET:
                return False
            raise
        finally:
            socket.settimeout(before)
        return True

    def read_response(self, disable_decoding: bool = False, timeout: Any = None) -> Any:  # noqa: ARG002, FBT001, FBT002 - the library's signature
        """One reply: bytes, int, None, a list of them, or the error that the server sent (raised if it ends a connection)."""
        if not self.wire.ahead or self.wire.at > PIECE:
            self.wire.compact()
        self._most = self.wire.at + WHOLE
        found = self._reply(0)
        if isinstance(found, BrokenError):
            raise found
        return found

    def _elements(self, count: int, depth: int) -> list[Any]:
        found: list[Any] = []
        while len(found) < count:
            found += self.wire.values(count - len(found))
            self._expect(0, "a list")
            if len(found) < count:
                found.append(self._reply(depth))
        return found

    def _reply(self, depth: int) -> Any:
        wire, kind = self.wire, self.wire.kind()
        if kind == BULK:
            length = wire.header(BULK)
            self._expect(length + 2, "a value of {:,} bytes", length)
            if length < 0:
                return None
            start, end = wire.value(length)  # which may move the memory
            return wire.arena.memory[start:end]
        if kind == LIST:
            count = wire.header(LIST)
            self._expect(count * _SHORTEST, "a list of {:,} elements", count)
            if depth == DEEPEST:
                raise wire.refused(f"lists nested more than {DEEPEST} deep")
            return None if count < 0 else self._elements(count, depth + 1)
        if kind not in {ERROR, TEXT, INTEGER}:
            raise wire.refused("no reply that Redis gives")
        self._expect(_SHORTEST, "a reply")
        line = wire.line()
        if kind == INTEGER:
            if len(line) > _DIGITS or not line.removeprefix(b"-").isdigit():
                raise wire.refused("a whole number that is none")
            return int(line)
        return line if kind == TEXT else error_of(line)

    def _expect(self, size: int, what: str, *number: int) -> None:
        """Refuse a reply that would be larger than all may be, with `size` more bytes."""
        if self.wire.at + size > self._most:
            raise self.wire.refused(f"{what.format(*number)} where {WHOLE >> 20} MiB are the limit")
