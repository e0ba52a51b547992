"""Alerts as HTTP POSTs of JSON: Ridgeline's own payload, Skyline's `http_alerter`, or a template of your own.

The token travels in an Authorization header; only Skyline's payload, whose receivers look for it there, repeats it in
the body. Skyline's receivers take one anomaly a request: all of a message go over one connection.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ridgeline.alerters._channel import Channel, Groups
from ridgeline.alerters._http import check_limits, fits_header, post, reveal
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome
from ridgeline.alerters._payloads import dumps, ridgeline, skyline
from ridgeline.alerters._template import fill, read_template
from ridgeline.io.net.transport import Connection, Endpoint, Limits
from ridgeline.io.secret import Secret

PAYLOADS: Final = ("ridgeline", "skyline", "template")
KEY: Final = "Ridgeline-Dedup-Key"


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`url` to post to; `token` for an Authorization: Bearer header; `ca_file` with further trusted certificates.

    `payload`: `ridgeline`, `skyline`, or `template` with `template_file`. `timeout` bounds one whole attempt, in
    seconds; `concurrency` is the number of posts in flight at once. A URL with a path
    is kept as a secret, since those of webhooks often are.
    """

    url: Secret | str
    token: Secret | None = None
    ca_file: Path | None = None
    payload: str = "ridgeline"
    template_file: Path | None = None
    timeout: float = 10.0
    concurrency: int = 4

    def __post_init__(self) -> None:
        if Endpoint.parse(reveal(self.url)).target != "/":
            object.__setattr__(self, "url", Secret(reveal(self.url)))
        if self.token is not None and not fits_header(reveal(self.token)):
            raise ValueError("token must be one line of ASCII text")
        if self.payload not in PAYLOADS:
            raise ValueError(f"payload must be one of {', '.join(PAYLOADS)}, not {self.payload!r}")
        if (self.payload == "template") != (self.template_file is not None):
            raise ValueError('template_file belongs to payload = "template", which cannot do without')
        if self.template_file is not None:
            read_template(self.template_file)
        check_limits(self.timeout, self.ca_file, self.concurrency)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts messages to one endpoint: one request each, of Ridgeline's payload or of `template`'s shape."""

    endpoint: Endpoint
    headers: dict[str, Secret | str]
    limits: Limits
    template: Any = None
    concurrency: int = 4

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Post the message once. Any 2xx is success, whatever the body says."""
        body = ridgeline(message) if self.template is None else fill(self.template, message)
        headers = {**self.headers, KEY: message.dedup_key}
        return post(self.endpoint, dumps(body), headers, deadline, self.limits)[0]


@dataclass(frozen=True, slots=True)
class SkylineWebhook:
    """Posts each alert of a message to one endpoint as Skyline does, over one connection."""

    endpoint: Endpoint
    headers: dict[str, Secret | str]
    token: Secret | None
    limits: Limits
    concurrency: int = 4

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Post the alerts in turn until one fails; those before it have arrived."""
        end = min(deadline, time.monotonic() + self.limits.total)
        token = None if self.token is None else self.token.reveal()
        with Connection(self.endpoint, end, self.limits) as connection:
            for arrived, alert in enumerate(message.alerts):
                headers = {**self.headers, KEY: alert.dedup_key}
                outcome, _ = post(connection, dumps(skyline(alert, token)), headers, end, self.limits)
                if outcome.kind != "sent":
                    return replace(outcome, arrived=arrived)
        return Outcome("sent", arrived=message.count)


def build(settings: HttpSettings) -> Webhook | SkylineWebhook:
    """The webhook of these settings."""
    endpoint = Endpoint.parse(reveal(settings.url))
    headers: dict[str, Secret | str] = {"Content-Type": "application/json"}
    if settings.token is not None:
        headers["Authorization"] = Secret(f"Bearer {settings.token.reveal()}")
    limits = Limits(total=settings.timeout, body=0, ca_file=settings.ca_file)
    if settings.payload == "skyline":
        # A short body must be read before the connection can be used again.
        return SkylineWebhook(endpoint, headers, settings.token, replace(limits, body=4096), settings.concurrency)
    template = None if settings.template_file is None else read_template(settings.template_file)
    return Webhook(endpoint, headers, limits, template, settings.concurrency)


def _groups(settings: HttpSettings) -> Groups:
    return "never" if settings.payload == "skyline" else "together"


def _resolves(settings: HttpSettings) -> bool:
    return settings.payload != "skyline"


CHANNEL = Channel("http", "JSON posted to a webhook", HttpSettings, build, resolves=_resolves, groups=_groups)
