"""Another host's Skyline: its web application, asked for JSON and for files. Nothing that it answers is trusted.

What the transport promises holds: verified TLS, no redirects, no proxies, no compression, an end to every wait. Basic
authentication is the only one spoken.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, TypeVar

from ridgeline.io.net.address import Endpoint
from ridgeline.io.net.exchange import Exchange
from ridgeline.io.net.stream import Limits, TransportError
from ridgeline.io.net.transport import Connection
from ridgeline.io.secret import Secret
from ridgeline.io.state.batch import from_json

T = TypeVar("T")
Reason = Literal["unreachable", "unauthorised", "redirected", "refused", "nonsense", "too_large", "broken_off"]

CONNECT: Final = 5.0  # seconds
SILENCE: Final = 10.0  # seconds without a byte
LARGEST_JSON: Final = 4 << 20  # bytes of an answer in JSON
REFUSED: Final = frozenset({401, 403, 407})


class PeerError(Exception):
    """A peer that gave nothing usable: `reason` in a word, and one sentence, without secrets.

    `away`: it is the peer that does not answer, or lets nobody in, whatever it is asked for.
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.away = reason in {"unreachable", "unauthorised", "redirected"}


@dataclass(frozen=True, slots=True)
class Peer:
    """`[[remote]]`: the web application at `base`, by the name of its host."""

    name: str
    base: Endpoint
    username: str = ""
    password: Secret | None = None
    ca_file: Path | None = None

    def ask(self, query: str, wanted: str, deadline: float, clock: Callable[[], float] = time.monotonic) -> Any:
        """What the answer to a `query` ("api?training_data") holds as `data[wanted]`. Raises PeerError."""
        with self._asked(query, deadline, LARGEST_JSON, clock) as (connection, exchange):
            self._check_plain(exchange)
            with self._failures("broken_off"):
                body = b"".join(connection.pieces(exchange))
            self._check_whole(exchange, LARGEST_JSON)
        data = from_json(body.decode("utf-8", "replace"))
        found = data.get("data") if isinstance(data, dict) else None
        if not isinstance(found, dict) or wanted not in found:
            raise PeerError("nonsense", f"{self} did not answer {_shown(query)} with the JSON that Skyline does")
        return found[wanted]

    def fetch(
        self,
        query: str,
        write: Callable[[Callable[[BinaryIO], object]], T],
        most: int,
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> T:
        """Give `write` what fills a file with the answer to a `query`, at most `most` bytes, and return what it returns.

        Raises PeerError, also out of the middle of `write`, for an answer that is none, too large or not whole.
        """
        with self._asked(query, deadline, most, clock) as (connection, exchange):
            if (exchange.length or 0) > most:
                raise self._too_large(most)
            if not exchange.bounded:
                raise PeerError("broken_off", f"{self} does not say where the file ends: it may not be whole")
            if not query.endswith(".gz"):  # such a file is packed as it lies there, and is said to be
                self._check_plain(exchange)

            def fill(file: BinaryIO) -> None:
                with self._failures("broken_off"):
                    file.writelines(connection.pieces(exchange))
                self._check_whole(exchange, most)

            return write(fill)

    @contextmanager
    def _asked(
        self, query: str, deadline: float, most: int, clock: Callable[[], float]
    ) -> Iterator[tuple[Connection, Exchange]]:
        """The connection, and the answer to a query once its head has come; only one of status 200."""
        endpoint = replace(self.base, target=f"{self.base.target.rstrip('/')}/{query}")
        limits = Limits(CONNECT, SILENCE, max(deadline - clock(), 0.0), most, self.ca_file)
        with Connection(endpoint, deadline, limits, clock=clock, keep=False) as connection:
            with self._failures("unreachable"):
                exchange = connection.begin("GET", b"", self._headers())
            self._check_status(exchange, query)
            yield connection, exchange

    def _headers(self) -> Mapping[str, str]:
        headers = {"Accept": "*/*"}
        if self.password is not None:
            pair = f"{self.username}:{self.password.reveal()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return headers

    def _check_status(self, exchange: Exchange, query: str) -> None:
        status = exchange.status
        if status == 200:
            return
        if status in REFUSED:
            asked = exchange.header("WWW-Authenticate").split(" ", 1)[0].lower()
            how = (
                "" if asked in {"", "basic"} else "; it asks for another authentication than Basic, which is not spoken"
            )
            raise PeerError("unauthorised", f"{self} refuses the credentials ({status}){how}")
        if 300 <= status < 400:
            raise PeerError(
                "redirected", f"{self} sends elsewhere ({status}), which is not followed: name that address"
            )
        raise PeerError("refused", f"{self} answered {status} to {_shown(query)}")

    def _check_plain(self, exchange: Exchange) -> None:
        if exchange.header("Content-Encoding").strip().lower() not in {"", "identity"}:
            raise PeerError("nonsense", f"{self} packs its answers, which nobody asked for")

    def _check_whole(self, exchange: Exchange, most: int) -> None:
        if exchange.whole:
            return
        if exchange.received >= most:
            raise self._too_large(most)
        raise PeerError("broken_off", f"{self} broke off in the middle of an answer")

    def _too_large(self, most: int) -> PeerError:
        return PeerError("too_large", f"{self} has an answer of more than {most:,} bytes")

    @contextmanager
    def _failures(self, reason: Reason) -> Iterator[None]:
        """Turn what the transport says into PeerError."""
        try:
            yield
        except TransportError as error:
            raise PeerError(reason, f'"{self.name}": {error}') from error

    def __str__(self) -> str:
        return f'"{self.name}" at {self.base}'


def _shown(query: str) -> str:
    """What was asked for, without its values."""
    return query.partition("=")[0]
