"""Alerts handed to a Prometheus Alertmanager, which routes, silences and repeats them by its own configuration.

One alert per metric, always: grouping is Alertmanager's business. An alert says itself when it ends (`endsAt`): an
ongoing anomaly is posted again by each run, and one that nobody repeats ends by itself.
API: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml (`POST /api/v2/alerts`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._channel import Channel
from ridgeline.alerters._http import below, check_limits, fits_header, post, reveal
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome
from ridgeline.alerters._payloads import dumps
from ridgeline.alerters._words import facts, headline, sentence
from ridgeline.io.net.transport import Endpoint, Limits
from ridgeline.io.secret import Secret
from ridgeline.io.text import escape, truncate

PATH: Final = "/api/v2/alerts"
ALERTNAME: Final = "RidgelineAnomaly"
OURSELVES: Final = "Ridgeline"  # of alerts about Ridgeline itself
LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
TEXT: Final = 4096
SHORTEST: Final = 60  # seconds that an alert is open at least, whatever its expiration


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """`url` is the base, as in `--web.external-url`; `labels` are added to every alert, for routing.

    `token` for an Authorization: Bearer header. `resolve_after`: so many runs must find a metric normal before its alert
    ends. `timeout` in seconds.
    """

    url: Secret | str
    labels: Mapping[str, str] = field(default_factory=dict)
    token: Secret | None = None
    resolve_after: int = 3
    ca_file: Path | None = None
    timeout: float = 10.0
    concurrency: int = 2

    def __post_init__(self) -> None:
        if Endpoint.parse(reveal(self.url)).target != "/":
            object.__setattr__(self, "url", Secret(reveal(self.url)))
        for name, value in self.labels.items():
            if not LABEL.fullmatch(name) or name in {"alertname", "metric"}:
                raise ValueError(
                    f"labels must be named as Prometheus names them, and not alertname or metric: {name!r}"
                )
            if not isinstance(value, str):
                raise ValueError(f"labels must be texts: {name} is {value!r}")  # noqa: TRY004 - a wrong setting
        if self.token is not None and not fits_header(reveal(self.token)):
            raise ValueError("token must be one line of ASCII text")
        if self.resolve_after < 1:
            raise ValueError(f"resolve_after must be at least 1 run, not {self.resolve_after}")
        check_limits(self.timeout, self.ca_file, self.concurrency)


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """Posts alerts to one Alertmanager. `now`: epoch seconds, which is what `startsAt` and `endsAt` are held against."""

    endpoint: Endpoint
    headers: dict[str, Secret | str]
    labels: Mapping[str, str]
    limits: Limits
    concurrency: int = 2
    now: Callable[[], float] = time.time

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Post all alerts of the message in one request."""
        body = [self.alert(alert, message) for alert in message.alerts]
        return post(self.endpoint, dumps(body), self.headers, deadline, self.limits)[0]

    def alert(self, alert: Alert, message: Message) -> dict[str, Any]:
        """One alert as Alertmanager takes it; labels are its identity, the same for each repeat."""
        now = int(self.now())
        since = alert.first_seen if alert.first_seen is not None else alert.timestamp
        ends = now if message.resolved else now + max(alert.expiration, SHORTEST)
        labels = {
            "alertname": OURSELVES if alert.message else ALERTNAME,
            "metric": truncate(escape(alert.metric), TEXT) or "(no name)",
            **({"severity": escape(alert.severity)} if alert.severity else {}),
            **self.labels,
        }
        found: dict[str, Any] = {
            "labels": {name: value for name, value in labels.items() if value},
            "annotations": _annotations(alert, message),
            "startsAt": _rfc3339(min(since, now)) or _rfc3339(now),
            "endsAt": _rfc3339(ends),
        }
        if alert.links:
            found["generatorURL"] = alert.links[0][1]
        return found


def _annotations(alert: Alert, message: Message) -> dict[str, str]:
    """The headline, the reasons in one sentence and one by one, and the links."""
    summary = headline(Message.of(alert, message.status))
    texts = {
        "summary": summary,
        "description": sentence(alert, resolved=message.resolved),
        **{name: words for name, words in facts(alert, resolved=message.resolved) if name != "message"},
        **{f"link_{re.sub('[^a-zA-Z0-9_]', '_', name)}": address for name, address in alert.links},
        **({"test": "true"} if alert.test else {}),
    }
    return {name: truncate(text, TEXT) for name, text in texts.items() if text}


def _rfc3339(timestamp: float) -> str | None:
    """The moment as Alertmanager reads it, or None where the calendar ends."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return None


def build(settings: AlertmanagerSettings) -> Alertmanager:
    """The alerter of these settings."""
    headers: dict[str, Secret | str] = {"Content-Type": "application/json"}
    if settings.token is not None:
        headers["Authorization"] = Secret(f"Bearer {settings.token.reveal()}")
    limits = Limits(total=settings.timeout, body=0, ca_file=settings.ca_file)
    endpoint = below(Endpoint.parse(reveal(settings.url)), PATH)
    return Alertmanager(endpoint, headers, dict(settings.labels), limits, settings.concurrency)


CHANNEL = Channel(
    "alertmanager",
    "alerts in a Prometheus Alertmanager",
    AlertmanagerSettings,
    build,
    resolves=True,
    groups="never",
    renews=True,
)
