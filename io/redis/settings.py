"""How to reach a Redis: its address, who we are, and how long to wait. Nothing here shows a secret."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from ridgeline.io.errors import InputError
from ridgeline.io.text import escape

FORMS: Final = "write redis://HOST:PORT/0, rediss://HOST:PORT/0 (TLS) or unix:///PATH"


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """Where a Redis is and how to talk to it. Times in seconds.

    `url`: redis://, rediss:// or unix://, with `?db=N` where the path does not say it; a user and a password may stand
    in it, but `username` and `password` go before them. `ca_file`: trusted certificates beside the system's.
    `timeout` bounds each wait for an answer, `connect_timeout` each attempt to connect, `budget` all attempts together
    until the first answer.
    """

    url: str = field(repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    timeout: float = 5.0
    connect_timeout: float = 2.0
    budget: float = 5.0
    retries: int = 3

    def __str__(self) -> str:
        """The address for messages: scheme, host, port and database, or the socket's path; no user, no password."""
        return self.place().shown

    def place(self) -> Place:
        """The parsed address; InputError, which does not repeat it, where it is none."""
        return parse_address(self.url)


@dataclass(frozen=True, slots=True)
class Place:
    """A parsed address: what to connect to, and how to name it in a message."""

    shown: str
    arguments: Mapping[str, Any] = field(repr=False)
    tls: bool = False


def parse_address(url: str) -> Place:
    """Read an address; InputError for anything else. The address is not repeated: it may hold a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError(f"this is not an address of a Redis; {FORMS}") from None
    if parts.scheme not in {"redis", "rediss", "unix"} or parts.fragment or "\0" in url:
        raise InputError(f"this is not an address of a Redis; {FORMS}")
    unknown = parse_qs(parts.query, keep_blank_values=True).keys() - {"db"}
    if unknown:
        raise InputError(f"the address of a Redis takes no option {escape(min(unknown))!r}, only db; {FORMS}")
    arguments: dict[str, Any] = {"db": _database(parts)}
    if parts.username:
        arguments["username"] = unquote(parts.username)
    if parts.password:
        arguments["password"] = unquote(parts.password)
    if parts.scheme == "unix":
        if not parts.path.strip("/") or parts.hostname:
            raise InputError("the address of a Redis socket names no absolute path; write unix:///PATH")
        arguments["path"] = unquote(parts.path)
        return Place(escape(f"unix://{arguments['path']}"), arguments)
    if port == 0:
        raise InputError(f"the address of a Redis names port 0; {FORMS}")
    arguments |= {"host": parts.hostname or "localhost", "port": port or 6379}
    host = f"[{arguments['host']}]" if ":" in arguments["host"] else arguments["host"]
    shown = escape(f"{parts.scheme}://{host}:{arguments['port']}/{arguments['db']}")
    return Place(shown, arguments, tls=parts.scheme == "rediss")


def _database(parts: SplitResult) -> int:
    """The database's number: from `?db=N`, else from the path of a TCP address, else 0."""
    stated = parse_qs(parts.query).get("db", [""])[-1]
    if not stated and parts.scheme != "unix":
        stated = parts.path.strip("/")
    if stated and not (stated.isascii() and stated.isdigit()):
        raise InputError(f"the database in the address of a Redis must be a number such as 0; {FORMS}")
    return int(stated or 0)
