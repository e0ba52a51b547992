"""Alerts as PagerDuty incidents, by its Events API v2: one POST each, opened by `trigger`, closed by `resolve`.

One metric is one incident, however often it is sent: the dedup key sees to that. The routing key travels in the body.
Fields and limits: https://developer.pagerduty.com/docs/send-alert-event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._channel import Channel
from ridgeline.alerters._http import check_limits, post
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import Outcome
from ridgeline.alerters._payloads import dumps, number
from ridgeline.alerters._words import facts, headline, lines
from ridgeline.io.net.transport import Endpoint, Limits
from ridgeline.io.secret import Secret
from ridgeline.io.text import escape, truncate

API: Final = "https://events.pagerduty.com/v2/enqueue"
SEVERITIES: Final = ("critical", "error", "warning", "info")
SUMMARY: Final = 1024
LISTED: Final = 100  # members of a storm by name: far below the 512 kB that an event may have
NAME: Final = 512


@dataclass(frozen=True, slots=True)
class PagerDutySettings:
    """`routing_key` of an integration of the type Events API v2; `severity` where the rule names none that PagerDuty has.

    `resolve_after`: so many runs must find a metric normal before its incident is closed. `timeout` in seconds.
    """

    routing_key: Secret
    api_url: str = API
    severity: str = "critical"
    resolve_after: int = 3
    ca_file: Path | None = None
    timeout: float = 10.0
    concurrency: int = 4

    def __post_init__(self) -> None:
        Endpoint.parse(self.api_url)
        if self.severity not in SEVERITIES:
            raise ValueError(f"severity must be one of {', '.join(SEVERITIES)}, not {self.severity!r}")
        if self.resolve_after < 1:
            raise ValueError(f"resolve_after must be at least 1 run, not {self.resolve_after}")
        check_limits(self.timeout, self.ca_file, self.concurrency)


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Sends events to one integration."""

    endpoint: Endpoint
    routing_key: Secret
    severity: str
    limits: Limits
    concurrency: int = 4

    @property
    def timeout(self) -> float:
        """Seconds of one attempt."""
        return self.limits.total

    def send(self, message: Message, deadline: float) -> Outcome:
        """Send one event; PagerDuty answers 202."""
        body = dumps(self.event(message))
        return post(self.endpoint, body, {"Content-Type": "application/json"}, deadline, self.limits)[0]

    def event(self, message: Message) -> dict[str, Any]:
        """The event of a message, routing key included."""
        common = {"routing_key": self.routing_key.reveal(), "dedup_key": message.dedup_key}
        if message.resolved:
            return {**common, "event_action": "resolve"}
        links = [{"href": address, "text": escape(name)} for name, address in message.first.links]
        return {
            **common,
            "event_action": "trigger",
            "client": "Ridgeline",
            "payload": self._payload(message),
            **({"links": links} if links and message.single else {}),
        }

    def _payload(self, message: Message) -> dict[str, Any]:
        first = message.first
        why = f"{headline(message)}; {lines(message)[0]}" if message.single and not first.message else headline(message)
        source = escape(first.metric) if message.single else f"rule {escape(message.rule)}"
        found: dict[str, Any] = {
            "summary": truncate(why, SUMMARY),
            "source": truncate(source, NAME) or "ridgeline",
            "severity": message.severity if message.severity in SEVERITIES else self.severity,
            "component": "ridgeline",
            "class": "anomaly",
            "custom_details": _details(message),
        }
        if (moment := _iso(first.timestamp)) is not None:
            found["timestamp"] = moment
        if message.rule:
            found["group"] = truncate(escape(message.rule), NAME)
        return found


def _details(message: Message) -> dict[str, Any]:
    """What responders read: the facts of one metric, or the members of a group."""
    if message.single:
        return {name: truncate(words, 4 * NAME) for name, words in facts(message.first)} | {
            "test": message.test,
            "number": number(message.first.value),
        }
    listed = message.alerts[:LISTED]
    return {
        "count": message.count,
        "fleet": message.fleet or None,
        "test": message.test,
        "metrics": [_member(alert) for alert in listed],
        "more": message.count - len(listed),
    }


def _member(alert: Alert) -> str:
    return truncate(f"{escape(alert.metric)}: {escape(dict(facts(alert)).get('value', ''))}, {alert.votes} votes", NAME)


def _iso(timestamp: int) -> str | None:
    """ISO 8601, or None where the calendar ends."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return None


def build(settings: PagerDutySettings) -> PagerDuty:
    """The alerter of these settings."""
    limits = Limits(total=settings.timeout, body=0, ca_file=settings.ca_file)
    return PagerDuty(
        Endpoint.parse(settings.api_url), settings.routing_key, settings.severity, limits, settings.concurrency
    )


CHANNEL = Channel(
    "pagerduty", "incidents in PagerDuty (Events API v2)", PagerDutySettings, build, resolves=True, groups="one by one"
)
