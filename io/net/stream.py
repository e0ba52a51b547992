"""Sockets that keep to a deadline: every read and write of a connection is bounded by one common end."""

from __future__ import annotations

import contextlib
import functools
import io
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ridgeline.io.net.address import AddressRefusedError, Resolve, Resolved, resolve

if TYPE_CHECKING:
    import ssl

Clock = Callable[[], float]


class TransportError(Exception):
    """No usable answer; `retry` says whether trying again can help. One sentence, no secrets.

    `unknown`: all had been sent when it broke off, so the receiver may have acted on it.
    """

    def __init__(self, message: str, *, retry: bool, unknown: bool = False) -> None:
        super().__init__(message)
        self.retry, self.unknown = retry, unknown


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds for connecting, for one read or write, and for the whole exchange; bytes of body; further trusted CAs."""

    connect: float = 5.0
    read: float = 20.0
    total: float = 30.0
    body: int = 65536
    ca_file: Path | None = None


def broken(where: object, error: OSError) -> TransportError:
    """What ended a connection to `where`, in one sentence without secrets; a certificate we cannot trust is no retry."""
    import ssl

    if isinstance(error, TimeoutError):
        return TransportError(f"{where} did not answer in time", retry=True)
    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(f"{where} has a certificate we cannot trust: {error.verify_message}", retry=False)
    if isinstance(error, ssl.SSLError):
        return TransportError(f"{where} does not speak TLS with us: {error.reason or 'handshake failed'}", retry=True)
    return TransportError(f"cannot talk to {where}: {error.strerror or type(error).__name__}", retry=True)


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
    """Verified TLS 1.2 or later against the system's authorities and those of `ca_file`. Raises OSError."""
    import ssl

    context = ssl.create_default_context()
    if ca_file is not None:
        if not stat.S_ISREG(ca_file.stat().st_mode):  # opening a pipe waits for whoever writes into it
            raise OSError("it is no regular file")
        context.load_verify_locations(cafile=ca_file)
    return context


class Stream:
    """A socket whose every read and write is bounded by one common end. It can stand in for a socket in `smtplib`."""

    def __init__(self, sock: socket.socket, end: float, pause: float, clock: Clock) -> None:
        self._socket, self._end, self._pause, self._clock = sock, end, pause, clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def recv_into(self, buffer: Any) -> int:
        """Read what has come, waiting no longer than allowed."""
        self.arm(self._pause)
        return self._socket.recv_into(buffer)

    def sendall(self, data: bytes) -> None:
        """Send everything."""
        rest = memoryview(data)
        while rest:
            self.arm(self._pause)
            rest = rest[self._socket.send(rest) :]

    def makefile(self, _mode: str = "rb") -> io.BufferedReader:
        """A file to read from; closing it leaves the connection open."""
        return io.BufferedReader(_Reader(self))

    def finish(self, pause: float) -> None:
        """Say that no more comes, and give the other side `pause` seconds to read it all and hang up.

        For protocols without an answer: closing at once would reset a connection that holds something unread (over TLS
        1.3 it usually does), and what is still under way with it. Raises OSError where the connection is reset.
        """
        import ssl

        if isinstance(self._socket, ssl.SSLSocket):
            self.arm(pause)
            with contextlib.suppress(ssl.SSLError, TimeoutError):
                self._socket = self._socket.unwrap()
        self._socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError):
            self.arm(pause)
            while self._socket.recv(4096):
                self.arm(pause)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


class _Reader(io.RawIOBase):
    """Reads from a stream that it does not own."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """Yes: io.BufferedReader asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what has come."""
        return self._stream.recv_into(buffer)
