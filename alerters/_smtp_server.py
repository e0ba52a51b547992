"""A mail server: where it is, how it is spoken to, and how it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ridgeline.io.text import escape, truncate

SECURITY: Final = ("starttls", "tls", "none")
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
SAID: Final = 200


class Refused(Exception):  # noqa: N818 - what the server did
    """The server said no, with a code: 4xx for now, 5xx for ever."""

    def __init__(self, what: str, code: int, words: bytes | str = b"") -> None:
        shown = truncate(escape(words), SAID)
        super().__init__(f"{what}: {code} {shown}".rstrip())
        self.again = not 500 <= code <= 599


class InDoubtError(Exception):
    """The connection broke after the mail was sent and before the server's word came."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where mails go: `security` is starttls, tls or none."""

    host: str
    port: int
    security: str
    ca_file: Path | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
