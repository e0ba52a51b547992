"""One request and its answer on an open connection: bytes out, head and body in."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ridgeline.io.net.address import Endpoint
from ridgeline.io.net.stream import Clock, Stream

if TYPE_CHECKING:
    from http.client import HTTPResponse

PIECE: Final = 1 << 20  # bytes that are asked for at once: room is made for all of them


@dataclass(frozen=True, slots=True)
class Reply:
    """A final answer: `retry_after` in seconds if the server named one; header names in lower case.

    `body` as far as it came in time and within its limit; `whole` says whether that is all of it.
    """

    status: int
    retry_after: float | None
    body: bytes
    headers: Mapping[str, str]
    whole: bool


class Exchange:
    """The answer to a request that has been sent. Every method but `reply` raises OSError or HTTPException."""

    def __init__(self, stream: Stream, method: str) -> None:
        from http.client import HTTPResponse

        self._response = HTTPResponse(cast(Any, stream), method=method)  # it needs makefile() only
        self.whole = False
        self.received = 0

    def begin(self) -> None:
        """Read status and headers; interim answers (1xx) are read past."""
        response = self._response
        response.begin()
        while 100 <= response.status < 200:
            response.headers = cast(Any, None)  # tells begin() to read the next head
            response.begin()

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self._response.status

    @property
    def bounded(self) -> bool:
        """Whether the answer says where it ends: else one that broke off cannot be told from a whole one."""
        return self._response.chunked or self._response.length is not None

    @property
    def length(self) -> int | None:
        """The bytes of body that are said to come, before any has; None where that is not said."""
        return self._response.length

    def header(self, name: str) -> str:
        """The value of a header; empty where there is none."""
        return self._response.getheader(name) or ""

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on the same connection."""
        return self.whole and not self._response.will_close

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The body as it comes, at most `limit` bytes, counted in `received`; sets `whole` when that was all of it."""
        response = self._response
        length = response.length  # None: until the last chunk, or until the connection ends
        while length is None or self.received < length:
            wanted = (limit if length is None else min(limit, length)) - self.received
            if wanted <= 0:
                return
            piece = response.read1(min(wanted, PIECE))
            if not piece:
                self.whole = length is None
                return
            self.received += len(piece)
            yield piece
        self.whole = True

    def reply(self, body: bytes) -> Reply:
        """The answer as a value."""
        headers = {name.lower(): value for name, value in self._response.getheaders()}
        return Reply(self.status, _retry_after(self._response), body, headers, self.whole)


def request_bytes(method: str, endpoint: Endpoint, body: bytes, headers: Mapping[str, str], *, keep: bool) -> bytes:
    """The request in bytes. A header that would not stay on its line is a bug of the caller: ValueError."""
    fixed = {
        "Host": endpoint.authority,
        "User-Agent": "ridgeline",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive" if keep else "close",
    }
    fields = {**headers, **fixed}
    if body or method not in {"GET", "HEAD"}:
        fields["Content-Length"] = str(len(body))
    for name, value in fields.items():
        if not (name + value).isascii() or not (name + value).isprintable():
            raise ValueError(f"header {name!r} does not fit on one line of ASCII")
    head = [f"{method} {endpoint.target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*head, "", ""]).encode("ascii") + body


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
