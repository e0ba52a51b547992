"""The bytes of one connection as Redis' protocol (RESP2) frames them: headers, values, lines, into memory that is ours.

Every length that a server claims is handed out before memory is taken for it, so that who reads may refuse it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from redis._parsers import BaseParser  # the library has no public name for what it calls a parser
from redis.exceptions import ConnectionError as BrokenError
from redis.exceptions import InvalidResponse, ResponseError

from ridgeline.io.redis.arena import Arena
from ridgeline.kernels.decode.layout import HEADER

PIECE: Final = 256 * 1024  # bytes per read from the socket
LINE: Final = 16 * 1024  # bytes of a line, such as an error's
_END: Final = b"\r\n"
ERROR, TEXT, INTEGER, BULK, LIST = b"-+:$*"  # the kinds, by their first byte


class Wire:
    """What has come over a socket: `arena` holds the bytes up to `have`, `at` is the next to look at.

    What is framed wrongly is InvalidResponse. A closed connection is the library's ConnectionError.
    """

    def __init__(self) -> None:
        self.arena = Arena(PIECE)
        self.at = self.have = 0
        self.socket: Any = None

    def open(self, socket: Any) -> None:
        """Begin with a new socket."""
        self.socket = socket
        self.at = self.have = 0

    @property
    def ahead(self) -> int:
        """How many bytes have come that were not looked at."""
        return self.have - self.at

    def compact(self) -> None:
        """Move what has come but was not looked at to the front of the arena."""
        ahead = self.ahead
        self.arena.view[:ahead] = self.arena.view[self.at : self.have]
        self.at, self.have = 0, ahead

    def fetch(self, size: int) -> None:
        """Take in more, until at least `size` bytes lie ahead. What lies before `at` is overwritten."""
        if not self.ahead or self.at + size + PIECE > len(self.arena.memory):
            self.compact()
        self.arena.reserve(size + PIECE, self.have)
        while self.ahead < size:
            self.receive()

    def kind(self) -> int:
        """The first byte of what comes next."""
        while self.at == self.have:
            self.receive()
        return self.arena.memory[self.at]

    def header(self, kind: int) -> int:
        """The number of a line that begins with `kind`, -1 or more; raises the error that the server sends instead."""
        while (end := self.arena.memory.find(_END, self.at, min(self.at + HEADER, self.have))) < 0:
            self._expect(kind)
            if self.ahead >= HEADER:
                raise self.refused("a length without end")
            self.receive()
        if self.arena.memory[self.at] != kind:
            self._expect(kind)
        digits = self.arena.memory[self.at + 1 : end]
        if not digits.isdigit() and digits != b"-1":
            raise self.refused("a length that is no number")
        self.at = end + 2
        return int(digits)

    def value(self, length: int) -> tuple[int, int]:
        """Where the next `length` bytes lie, once they are here: start and end in the arena."""
        start, end = self.at, self.at + length
        if self.have < end + 2:
            self.arena.reserve(end + 2 + PIECE, self.have)
        while self.have < end + 2:
            self.receive()
        if self.arena.memory[end : end + 2] != _END:
            raise self.refused("a value of another length than announced")
        self.at = end + 2
        return start, end

    def values(self, most: int) -> list[bytes]:
        """Up to `most` values, as far as they are here already: lists of names consist of them."""
        memory, at, have, found = self.arena.memory, self.at, self.have, list[bytes]()
        while len(found) < most and at < have and memory[at] == BULK:
            start = memory.find(_END, at, at + HEADER) + 2
            digits = memory[at + 1 : start - 2]
            if not digits.isdigit():
                break
            end = start + int(digits)
            if end + 2 > have or memory[end : end + 2] != _END:
                break
            found.append(memory[start:end])
            at = end + 2
        self.at = at
        return found

    def line(self) -> bytes:
        """The rest of a line, without the byte that tells its kind."""
        while (end := self.arena.memory.find(_END, self.at, min(self.at + LINE, self.have))) < 0:
            if self.ahead >= LINE:
                raise self.refused(f"a line of more than {LINE >> 10} KiB")
            self.receive()
        text = self.arena.memory[self.at + 1 : end]
        self.at = end + 2
        return text

    def receive(self) -> None:
        """Take in what has come, at least one byte."""
        if self.socket is None:
            raise BrokenError("the connection was closed here")
        self.arena.reserve(self.have + PIECE, self.have)
        received = self.socket.recv_into(self.arena.view[self.have : self.have + PIECE])
        if not received:
            raise BrokenError("the server closed the connection")
        self.have += received

    def refused(self, what: str) -> InvalidResponse:
        """The error for bytes that are not what Redis sends."""
        shown = self.arena.memory[self.at : min(self.at + HEADER, self.have)]
        return InvalidResponse(f"{what}, at {shown!r}")

    def _expect(self, kind: int) -> None:
        """Refuse a line of another kind; raise the error that stands in its place."""
        if self.ahead and self.arena.memory[self.at] != kind:
            if self.arena.memory[self.at] == ERROR:
                raise error_of(self.line())
            raise self.refused("another kind of reply than was asked for")


def error_of(line: bytes) -> Exception:
    """The library's error for the text of an error reply."""
    text = line.decode("utf-8", "replace")
    parse: Callable[[str], Exception] = BaseParser.parse_error
    try:
        return parse(text)
    except ValueError:  # a MOVED or ASK that names no slot
        return ResponseError(text)
