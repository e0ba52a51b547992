"""The JSON bodies of webhooks: Ridgeline's own, and Skyline's `http_alerter`. ASCII, without NaN or infinity."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._message import Message
from ridgeline.alerters._words import headline, in_one_line, reasons
from ridgeline.io.text import encodable


def dumps(value: Any) -> bytes:
    """JSON as it is sent."""
    return json.dumps(value, allow_nan=False).encode()


def ridgeline(message: Message) -> dict[str, Any]:
    """The whole message, all members of a storm included, top first."""
    return {
        "version": 1,
        "status": message.status,
        "headline": headline(message),
        "strategy": encodable(message.strategy),
        "rule": encodable(message.rule),
        "severity": message.severity or None,
        "dedup_key": message.dedup_key,
        "count": message.count,
        "fleet": message.fleet or None,
        "storm": message.storm,
        "test": message.test,
        "alerts": [_alert(alert, resolved=message.resolved) for alert in message.alerts],
    }


def _alert(alert: Alert, *, resolved: bool) -> dict[str, Any]:
    """One alert: its numbers for programs, `why` and `facts` for people."""
    found = reasons(alert, resolved=resolved)
    return {
        "metric": encodable(alert.metric),
        "value": number(alert.value),
        "timestamp": int(alert.timestamp),
        "expected": None if alert.expected is None else [number(bound) for bound in alert.expected],
        "direction": alert.direction or None,
        "votes": alert.votes,
        "algorithms": _encodable(alert.algorithms),
        "algorithms_run": _encodable(alert.algorithms_run),
        "channels": _encodable(alert.channels),
        "rule_score": None if alert.rule_score is None else number(alert.rule_score),
        "negatives": alert.negatives,
        "first_seen": alert.first_seen,
        "ongoing": alert.ongoing,
        "since": found.get("since"),
        "expiration": int(alert.expiration),
        "full_duration": int(alert.full_duration),
        "why": in_one_line(found),
        "facts": found,
        "links": {encodable(name): address for name, address in alert.links},
        "message": encodable(alert.message) or None,
        "dedup_key": alert.dedup_key,
    }


@lru_cache(maxsize=256)
def _encodable(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names as JSON can carry them: of a storm, many alerts have the same."""
    return tuple(map(encodable, names))


def skyline(alert: Alert, token: str | None) -> dict[str, Any]:
    """What Skyline's alert_http posts for one anomaly, field by field, with native types.

    It says `analyzer` for Mirage too. Its three-sigma bounds are ours (`expected`); where they are unknown they are 0, as it sends them.
    """
    low, high = (0, 0) if alert.expected is None else (number(alert.expected[0]), number(alert.expected[1]))
    real_low = low if alert.negatives or low is None else max(low, 0)
    bounds = {"upper": high, "lower": low, "real_lower": real_low}
    fields: dict[str, Any] = {
        "metric": encodable(alert.metric),
        "timestamp": int(alert.timestamp),
        "value": number(alert.value),
        "full_duration": int(alert.full_duration),
        "expiry": int(alert.expiration),
        "source": "analyzer" if alert.source == "mirage" else alert.source,
        "token": token,
        "id": str(alert.external_id),
        "anomaly_id": str(alert.anomaly_id),
        "anomalyScore": float(alert.anomaly_score),
        **{f"{band}_{bound}": value for band in ("3sigma", "yhat") for bound, value in bounds.items()},
        "dotted_representation": None,
    }
    if alert.message:
        fields["message"] = encodable(alert.message)
    if alert.test:
        fields["test_alert"] = True
    return {"status": {}, "data": {"token": str(token), "alert": fields}}


def number(value: float) -> float | None:
    """The value as JSON can carry it: no infinity, no NaN."""
    return float(value) if math.isfinite(value) else None
