"""Sockets that keep to a deadline: every read and write of a connection is bounded by one common end."""

from __future__ import annotations

import functools
import io
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ridgeline.io.net.address import AddressRefusedError, Resolve, Resolved, resolve

if TYPE_CHECKING:
    import ssl

Clock = Callable[[], float]


class TransportError(Exception):
    """No usable answer; `retry` says whether trying again can help. One sentence, no secrets."""

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting, for one read or write, and for the whole exchange; bytes of body; further trusted CAs."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 30.0
    body: int = 65536
    ca_file: Path | None = None


def open_stream(
    host: str,
    port: int,
    end: float,
    limits: Limits,
    *,
    clock: Clock = time.monotonic,
    lookup: Resolve = socket.getaddrinfo,
) -> Stream:
    """A TCP connection to the first address of `host` that answers. Raises OSError, or TransportError if refused."""
    failure: OSError = TimeoutError()
    for family, kind, protocol, _, sockaddr in _addresses(host, port, socket.SOCK_STREAM, end - clock(), lookup):
        stream = Stream(socket.socket(family, kind, protocol), end, limits.read, clock)
        try:
            stream.open(sockaddr, limits.connect)
        except OSError as error:
            stream.close()
            failure = error
        else:
            return stream
    raise failure


def send_datagram(
    host: str,
    port: int,
    data: bytes,
    end: float,
    *,
    clock: Clock = time.monotonic,
    lookup: Resolve = socket.getaddrinfo,
) -> None:
    """One UDP datagram to the first address of `host`. Raises OSError, or TransportError if refused."""
    family, kind, protocol, _, sockaddr = _addresses(host, port, socket.SOCK_DGRAM, end - clock(), lookup)[0]
    with socket.socket(family, kind, protocol) as sock:
        sock.settimeout(max(end - clock(), 0.001))
        sock.sendto(data, sockaddr)


def _addresses(host: str, port: int, kind: int, timeout: float, lookup: Resolve) -> Resolved:
    """All addresses of `host`, each allowed."""
    try:
        return resolve(host, port, kind, timeout, lookup)
    except AddressRefusedError as error:
        raise TransportError(f"{host} is refused: {error}", retry=False) from error


@functools.cache
def trust(ca_file: Path | None) -> ssl.SSLContext:
    """Verified TLS 1.2 or later against the system's authorities and those of `ca_file`."""
    import ssl

    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


class Stream(io.RawIOBase):
    """A socket whose every read and write is bounded by one common end."""

    def __init__(self, sock: socket.socket, end: float, pause: float, clock: Clock) -> None:
        super().__init__()
        self._socket, self._end, self._pause, self._clock = sock, end, pause, clock

    def arm(self, pause: float) -> None:
        """Give the next operation `pause` seconds, or what is left; TimeoutError if nothing is."""
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(pause, left))

    def open(self, sockaddr: Any, pause: float) -> None:
        """Connect."""
        self.arm(pause)
        self._socket.connect(sockaddr)

    def encrypt(self, context: ssl.SSLContext, host: str, pause: float) -> None:
        """Shake hands; the system bounds the whole handshake by the timeout."""
        self._socket = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
        self.arm(pause)
        self._socket.do_handshake()

    def readable(self) -> bool:
        """Yes: http.client asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come, waiting no longer than allowed."""
        self.arm(self._pause)
        return self._socket.recv_into(buffer)

    def send_all(self, data: bytes) -> None:
        """Send everything."""
        rest = memoryview(data)
        while rest:
            self.arm(self._pause)
            rest = rest[self._socket.send(rest) :]

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        """What http.client reads from."""
        return io.BufferedReader(self)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
        super().close()
