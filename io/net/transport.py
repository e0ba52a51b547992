"""One hardened HTTP POST on the standard library.

http and https only; no redirects, no proxies, no compression; the host is resolved once and its addresses checked; TLS
is always verified; every read and write is bounded by one total deadline, which a server that trickles bytes cannot
stretch; at most `Limits.body` bytes of the answer are read. No error repeats a URL's path, a header or a body.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ridgeline.io.net.address import Endpoint, Resolve
from ridgeline.io.net.stream import Clock, Limits, Stream, TransportError, open_stream, send_datagram, trust

if TYPE_CHECKING:
    from http.client import HTTPResponse

__all__ = ["Endpoint", "Limits", "Reply", "TransportError", "open_stream", "post", "send_datagram", "trust"]


DEFAULT = Limits()


@dataclass(frozen=True, slots=True)
class Reply:
    """A final answer: `retry_after` in seconds if the server named one; `body` as far as it came in time."""

    status: int
    retry_after: float | None
    body: bytes


def post(
    endpoint: Endpoint,
    body: bytes,
    headers: Mapping[str, str],
    *,
    deadline: float,
    limits: Limits = DEFAULT,
    clock: Clock = time.monotonic,
    lookup: Resolve = socket.getaddrinfo,
) -> Reply:
    """Send one POST and return the answer's status, whatever it is.

    `deadline` is absolute, in seconds of `clock`; `limits.total` may end the exchange earlier. Raises TransportError.
    """
    from http.client import HTTPException

    request = _request(endpoint, body, headers)
    end = min(deadline, clock() + limits.total)
    try:
        with _connect(endpoint, end, limits, clock, lookup) as stream:
            stream.send_all(request)
            return _reply(stream, limits.body)
    except HTTPException:  # no cause: it quotes the answer, which may echo what we sent
        raise TransportError(f"{endpoint} gave an answer that is not HTTP", retry=True) from None
    except TimeoutError as error:
        raise TransportError(f"{endpoint} did not answer in time", retry=True) from error
    except OSError as error:
        raise _failure(endpoint, error) from error


def _request(endpoint: Endpoint, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The request in bytes. A header that would not stay on its line is a bug of the caller: ValueError."""
    fixed = {
        "Host": endpoint.authority,
        "User-Agent": "ridgeline",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    fields = {**headers, **fixed, "Content-Length": str(len(body))}
    for name, value in fields.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise ValueError(f"header {name!r} does not fit on one line of ASCII")
    head = [f"POST {endpoint.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


def _reply(stream: Stream, cap: int) -> Reply:
    """Read status, headers and at most `cap` bytes of body; interim answers (1xx) are read past."""
    from http.client import HTTPException, HTTPResponse

    response = HTTPResponse(cast(Any, stream), method="POST")  # it needs makefile() only
    response.begin()
    while 100 <= response.status < 200:
        response.headers = cast(Any, None)  # tells begin() to read the next head
        response.begin()
    received = bytearray()
    try:
        while len(received) < cap and (piece := response.read1(cap - len(received))):
            received += piece
    except (HTTPException, OSError):  # the status has been given; a body cut short does not take it back
        pass
    return Reply(response.status, _retry_after(response), bytes(received))


def _retry_after(response: HTTPResponse, wall: Clock = time.time) -> float | None:
    """Seconds the server asks us to wait (RFC 9110, 10.2.3: seconds or a date), never negative; None if it does not."""
    from email.utils import parsedate_to_datetime

    value = (response.getheader("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:18])
    try:
        return max(parsedate_to_datetime(value).timestamp() - wall(), 0.0)
    except (ValueError, OverflowError, TypeError):
        return None


def _failure(endpoint: Endpoint, error: OSError) -> TransportError:
    """The error of a connection in one sentence."""
    import ssl

    if isinstance(error, ssl.SSLCertVerificationError):
        return TransportError(f"{endpoint} has a certificate we cannot trust: {error.verify_message}", retry=False)
    if isinstance(error, ssl.SSLError):
        return TransportError(
            f"{endpoint} does not speak TLS with us: {error.reason or 'handshake failed'}", retry=True
        )
    return TransportError(f"cannot talk to {endpoint}: {error.strerror or type(error).__name__}", retry=True)


def _connect(endpoint: Endpoint, end: float, limits: Limits, clock: Clock, lookup: Resolve) -> Stream:
    """An open connection, encrypted for https, all of whose reads and writes end at `end`."""
    stream = open_stream(endpoint.host, endpoint.port, end, limits, clock=clock, lookup=lookup)
    try:
        if endpoint.scheme == "https":
            stream.encrypt(trust(limits.ca_file), endpoint.host, limits.connect)
    except BaseException:
        stream.close()
        raise
    return stream
