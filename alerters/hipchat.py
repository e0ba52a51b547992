"""Alerts as notifications in a room of a self-hosted HipChat server (API v2). Deprecated: HipChat itself is gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from ridgeline.alerters._channel import Channel
from ridgeline.alerters._http import below, check_limits, fits_header, post, reveal
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome
from ridgeline.alerters._payloads import dumps
from ridgeline.alerters._words import headline, lines
from ridgeline.io.net.transport import Endpoint, Limits
from ridgeline.io.secret import Secret
from ridgeline.io.text import truncate

LONGEST: Final = 9000  # HipChat takes 10,000 characters
LINE: Final = 800


@dataclass(frozen=True, slots=True)
class HipchatSettings:
    """`url` of the server, `room` by id or name, `token` with the right to send notifications. `timeout` in seconds."""

    url: str
    room: str
    token: Secret
    ca_file: Path | None = None
    timeout: float = 10.0
    concurrency: int = 1

    def __post_init__(self) -> None:
        Endpoint.parse(self.url)
        if not self.room:
            raise ValueError("room must name a room")
        if not fits_header(reveal(self.token)):
            raise ValueError("token must be one line of ASCII text")
        check_limits(self.timeout, self.ca_file, self.concurrency)


@dataclass(frozen=True, slots=True)
class Hipchat:
    """Notifies one room."""

    endpoint: Endpoint
    token: Secret
    limits: Limits
    concurrency: int = 1

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send one notification as plain text; HipChat answers 204."""
        words = "\n".join([truncate(headline(message), LINE), *(truncate(line, LINE) for line in lines(message))])
        body = {"color": "red", "notify": True, "message_format": "text", "message": truncate(words, LONGEST)}
        headers: dict[str, Secret | str] = {
            "Content-Type": "application/json",
            "Authorization": Secret(f"Bearer {self.token.reveal()}"),
        }
        return post(self.endpoint, dumps(body), headers, deadline, self.limits)[0]


def build(settings: HipchatSettings) -> Hipchat:
    """The alerter of these settings."""
    endpoint = below(Endpoint.parse(settings.url), f"/v2/room/{quote(settings.room, safe='')}/notification")
    limits = Limits(total=settings.timeout, body=0, ca_file=settings.ca_file)
    return Hipchat(endpoint, settings.token, limits, settings.concurrency)


CHANNEL = Channel("hipchat", "room notifications of a self-hosted HipChat (deprecated)", HipchatSettings, build)
