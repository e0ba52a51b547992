"""Hardened HTTP on the standard library: single requests, several over one connection, downloads into a file.

http and https only; no redirects, no proxies, no compression; the host is resolved once and its addresses checked; TLS
is always verified; every read and write is bounded by one total deadline, which a server that trickles bytes cannot
stretch; at most `Limits.body` bytes of an answer are read. No error repeats a URL's path, a header or a body.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self

from ridgeline.io.net.address import Endpoint, Resolve
from ridgeline.io.net.exchange import Exchange, Reply, request_bytes
from ridgeline.io.net.stream import Clock, Limits, Stream, TransportError, broken, open_stream, send_datagram, trust

if TYPE_CHECKING:
    from types import TracebackType

__all__ = [
    "Connection",
    "Endpoint",
    "Limits",
    "Reply",
    "TransportError",
    "broken",
    "download",
    "open_stream",
    "request",
    "send_datagram",
    "trust",
]

DEFAULT: Final = Limits()
NONE: Final[Mapping[str, str]] = {}


def request(
    method: str,
    endpoint: Endpoint,
    *,
    deadline: float,
    body: bytes = b"",
    headers: Mapping[str, str] = NONE,
    limits: Limits = DEFAULT,
    clock: Clock = time.monotonic,
    lookup: Resolve = socket.getaddrinfo,
) -> Reply:
    """Send one request (GET, POST, ...) and return the answer, whatever its status.

    `deadline` is absolute, in seconds of `clock`; `limits.total` may end the exchange earlier. Raises TransportError.
    """
    with Connection(endpoint, deadline, limits, clock=clock, lookup=lookup, keep=False) as connection:
        return connection.request(method, body, headers)


def download(
    endpoint: Endpoint,
    path: Path,
    *,
    deadline: float,
    headers: Mapping[str, str] = NONE,
    limits: Limits = DEFAULT,
    clock: Clock = time.monotonic,
    lookup: Resolve = socket.getaddrinfo,
) -> Reply:
    """GET into the file `path`, which is whole or as it was; the reply has no body.

    Only a 200 is written. Raises TransportError, also for a body cut short or larger than `limits.body`; OutputError
    where the file cannot be written.
    """
    from ridgeline.io.disk.atomic import write_atomic

    with Connection(endpoint, deadline, limits, clock=clock, lookup=lookup, keep=False) as connection:
        exchange = connection.begin("GET", b"", headers)
        if exchange.status != 200:
            return exchange.reply(b"")

        def fill(file: BinaryIO) -> None:
            file.writelines(connection.pieces(exchange))
            if not exchange.whole:
                raise TransportError(f"{endpoint} sent more than {limits.body:,} bytes, or broke off", retry=True)

        write_atomic(path, fill)
        return exchange.reply(b"")


class Connection:
    """A connection to one endpoint, opened when first needed and kept between requests where the server allows it.

    All of them end at `deadline`, in seconds of `clock`. Use it as a context manager.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deadline: float,
        limits: Limits = DEFAULT,
        *,
        clock: Clock = time.monotonic,
        lookup: Resolve = socket.getaddrinfo,
        keep: bool = True,
    ) -> None:
        self.endpoint = endpoint
        self._limits, self._clock, self._lookup, self._keep = limits, clock, lookup, keep
        self._end = min(deadline, clock() + limits.total)
        self._stream: Stream | None = None
        self._used = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def request(self, method: str, body: bytes = b"", headers: Mapping[str, str] = NONE) -> Reply:
        """Send one request and return the answer, its body as far as it came in time. Raises TransportError."""
        exchange = self.begin(method, body, headers)
        received = bytearray()
        # The status has been given; a body cut short does not take it back.
        with contextlib.suppress(TransportError):
            for piece in self.pieces(exchange):
                received += piece
        if not (self._keep and exchange.reusable):
            self._close()
        return exchange.reply(bytes(received))

    def begin(self, method: str, body: bytes, headers: Mapping[str, str]) -> Exchange:
        """Send a request and read the head of its answer. Raises TransportError."""
        data = request_bytes(method, self.endpoint, body, headers, keep=self._keep)
        if self._stream is not None and self._used:
            try:
                return self._exchange(method, data)
            except TransportError as error:
                # A server may close a kept connection at any time: that says nothing about the endpoint.
                if not error.unknown:
                    raise
                self._close()
        return self._exchange(method, data)

    def pieces(self, exchange: Exchange) -> Iterator[bytes]:
        """The body, at most `limits.body` bytes of it. Raises TransportError where it breaks off."""
        with self._failures():
            yield from exchange.pieces(self._limits.body)

    def _exchange(self, method: str, data: bytes) -> Exchange:
        sent = False
        try:
            with self._failures():
                stream = self._open()
                stream.sendall(data)
                sent = True
                exchange = Exchange(stream, method)
                exchange.begin()
        except TransportError as error:
            error.unknown = sent
            raise
        self._used = True
        return exchange

    def _open(self) -> Stream:
        """The open connection, encrypted for https."""
        if self._stream is None:
            endpoint, limits = self.endpoint, self._limits
            stream = open_stream(
                endpoint.host, endpoint.port, self._end, limits, clock=self._clock, lookup=self._lookup
            )
            self._stream = stream
            if endpoint.scheme == "https":
                stream.encrypt(trust(limits.ca_file), endpoint.host, limits.connect)
        return self._stream

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._used = None, False

    @contextlib.contextmanager
    def _failures(self) -> Iterator[None]:
        """Turn what a connection raises into TransportError; close the connection."""
        from http.client import HTTPException

        try:
            yield
        except HTTPException:  # no cause: it quotes the answer, which may echo what we sent
            self._close()
            raise TransportError(f"{self.endpoint} gave an answer that is not HTTP", retry=True) from None
        except OSError as error:
            self._close()
            raise broken(self.endpoint, error) from error
