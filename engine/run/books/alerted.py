"""Alerts that went out, for Panorama, which marks its anomalies by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ridgeline.engine.run.books.past import PANORAMA, Past
from ridgeline.engine.run.turn import Turn

LIFE: Final = 86400  # seconds
NO_TELLING: Final = frozenset({"console", "syslog", "sms"})  # channels that Skyline tells Panorama nothing of


def write_alerted(turn: Turn, past: Past) -> None:
    """Write when each alert went out, by anomaly, and drop from Panorama's list what it left there for a day."""
    told = dict(_told(turn))
    fields = {}
    for (timestamp, metric), name in told.items():
        turn.entries.set(f"panorama.alert.{name}", repr([metric, timestamp, turn.as_of]), LIFE)
        fields[name] = repr({"metric": metric, "timestamp": timestamp, "alerted_at": turn.as_of})
    turn.entries.drop(PANORAMA, [name for name in past.alerted if _timestamp(name) < turn.as_of - LIFE])
    turn.entries.put(PANORAMA, fields)


def _told(turn: Turn) -> Iterator[tuple[tuple[int, str], str]]:
    """((timestamp, metric), `<timestamp>.<metric>`) of the anomalies that somebody was told of."""
    kinds = {name: channel.kind for name, channel, _ in turn.request.config.alerters.settings}
    for item in turn.arrived:
        alert = item.alert
        if item.status == "firing" and not item.ours and kinds.get(alert.strategy) not in NO_TELLING:
            yield (alert.timestamp, alert.metric), f"{alert.timestamp}.{alert.metric}"


def _timestamp(name: str) -> int:
    """The timestamp that a field of the list begins with; 0 where it is none of ours."""
    digits = name.partition(".")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 20 else 0
