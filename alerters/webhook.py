"""Alerts as HTTP POSTs: Skyline's `http_alerter` payload, one request per anomaly.

Payload: `data.alert` of Skyline's alert_http with the fields that exist here; ids, sigma bounds and labelled names are
left out. The token travels in an Authorization header, never in the body.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ridgeline.alerters._alerter import SENT, Alert, Channel, Outcome, Secret
from ridgeline.io.net.transport import Endpoint, Limits, TransportError, post, trust
from ridgeline.io.text import encodable

RETRY_STATUS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`url` to post to; `token` for an Authorization: Bearer header; `ca_file` with further trusted certificates.

    `timeout` bounds one whole attempt, in seconds; `concurrency` is the number of posts in flight at once. The URL is
    kept as a secret, since paths and queries of webhooks often are.
    """

    url: Secret | str
    token: Secret | None = None
    ca_file: Path | None = None
    timeout: float = 10.0
    concurrency: int = 4

    def __post_init__(self) -> None:
        Endpoint.parse(_plain(self.url))
        object.__setattr__(self, "url", Secret(_plain(self.url)))
        if self.token is not None and not _fits_header(_plain(self.token)):
            raise ValueError("token must be one line of ASCII text")
        if self.ca_file is not None:
            _check_authorities(self.ca_file)
        if not 0 < self.timeout < math.inf:
            raise ValueError(f"timeout must be a positive number of seconds, not {self.timeout}")
        if self.concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {self.concurrency}")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts alerts to one endpoint."""

    endpoint: Endpoint
    headers: dict[str, Secret | str]
    limits: Limits
    concurrency: int = 4

    def send(self, alert: Alert, deadline: float) -> Outcome:
        """Post the alert once. Any 2xx is success, whatever the body says."""
        headers = {name: _plain(value) for name, value in self.headers.items()}
        headers["Ridgeline-Dedup-Key"] = alert.dedup_key
        try:
            reply = post(self.endpoint, body(alert), headers, deadline=deadline, limits=self.limits)
        except TransportError as error:
            return Outcome("retry" if error.retry else "rejected", str(error))
        return outcome_of(reply.status, self.endpoint, reply.retry_after)


def outcome_of(status: int, endpoint: Endpoint, retry_after: float | None = None) -> Outcome:
    """2xx sent; 408, 425, 429 and 5xx retry; everything else, redirects included, rejected."""
    if 200 <= status <= 299:
        return SENT
    reason = f"{endpoint} answered {status}{_phrase(status)}"
    if status in RETRY_STATUS or 500 <= status <= 599:
        return Outcome("retry", reason, retry_after)
    return Outcome("rejected", f"{reason}; redirects are not followed" if 300 <= status <= 399 else reason)


def body(alert: Alert) -> bytes:
    """The JSON of one alert, ASCII, without any secret."""
    fields: dict[str, Any] = {
        "metric": encodable(alert.metric),
        "timestamp": int(alert.timestamp),
        "value": _number(alert.value),
        "full_duration": int(alert.full_duration),
        "expiry": int(alert.expiration),
        "source": alert.source,
        "anomalyScore": float(alert.anomaly_score),
    }
    if alert.message:
        fields["message"] = encodable(alert.message)
    if alert.test:
        fields["test_alert"] = True
    return json.dumps({"status": {}, "data": {"alert": fields}}, allow_nan=False).encode()


def _number(value: float) -> float | None:
    """The value as JSON can carry it: no infinity, no NaN."""
    return float(value) if math.isfinite(value) else None


def _phrase(status: int) -> str:
    """The status in words, from the registered ones; never the server's own."""
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


def _plain(value: Secret | str) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _check_authorities(ca_file: Path) -> None:
    """Load the certificates now, so that a wrong file is a configuration error and not a lost alert."""
    try:
        trust(ca_file)
    except OSError as error:
        raise ValueError(f"ca_file {ca_file} holds no usable certificates: {error.strerror or error}") from error


def _fits_header(value: str) -> bool:
    return bool(value) and value.isascii() and value.isprintable()


def build(settings: HttpSettings) -> Webhook:
    """The webhook of these settings."""
    headers: dict[str, Secret | str] = {"Content-Type": "application/json"}
    if settings.token is not None:
        headers["Authorization"] = Secret(f"Bearer {_plain(settings.token)}")
    limits = Limits(total=settings.timeout, body=0, ca_file=settings.ca_file)
    return Webhook(Endpoint.parse(_plain(settings.url)), headers, limits, settings.concurrency)


CHANNEL = Channel("http", "one JSON POST per anomaly to a webhook", HttpSettings, build)
