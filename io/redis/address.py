"""Addresses of a Redis: redis://, rediss:// or unix://. Nothing here repeats an address, for it may hold a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from ridgeline.io.errors import InputError
from ridgeline.io.secret import Secret
from ridgeline.io.text import escape

FORMS: Final = "write redis://HOST:PORT/0, rediss://HOST:PORT/0 (TLS) or unix:///PATH"
_DIGITS: Final = 10  # of a database's number, one more than any server has


@dataclass(frozen=True, slots=True)
class Place:
    """A parsed address: what to connect to (`path` of a socket, else `host` and `port`), and how to name it in a message."""

    shown: str
    database: int
    host: str = "localhost"
    port: int = 6379
    path: str | None = None
    tls: bool = False
    username: str | None = None
    password: Secret | None = None


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
    database, tls = _database(parts), parts.scheme == "rediss"
    username, password = unquote(parts.username or "") or None, unquote(parts.password or "") or None
    secret = None if password is None else Secret(password)
    if parts.scheme == "unix":
        if not parts.path.strip("/") or parts.hostname:
            raise InputError("the address of a Redis socket names no absolute path; write unix:///PATH")
        path = unquote(parts.path)
        return Place(escape(f"unix://{path}"), database, path=path, username=username, password=secret)
    if port == 0:
        raise InputError(f"the address of a Redis names port 0; {FORMS}")
    host, port = parts.hostname or "localhost", port or 6379
    shown = escape(f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}/{database}")
    return Place(shown, database, host, port, tls=tls, username=username, password=secret)


def fault_of_configured(url: str) -> str | None:
    """What is wrong with an address in a configuration, where no password may stand in it; None if nothing is."""
    try:
        place = parse_address(url)
    except InputError as error:
        return str(error)
    if place.password is not None:
        return "secrets do not belong in this file: use password_env or password_file (and username)"
    return None


def _database(parts: SplitResult) -> int:
    """The database's number: from `?db=N`, else from the path of a TCP address, else 0."""
    stated = parse_qs(parts.query).get("db", [""])[-1]
    if not stated and parts.scheme != "unix":
        stated = parts.path.strip("/")
    if stated and not (stated.isascii() and stated.isdigit() and len(stated) < _DIGITS):
        raise InputError(f"the database in the address of a Redis must be a number such as 0; {FORMS}")
    return int(stated or 0)
