"""Alerts as lines on the terminal or in cron's mail."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from ridgeline.alerters._alerter import SENT, Alert, Channel, Outcome
from ridgeline.io.text import escape


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """`stream`: `stdout` or `stderr`. A command whose output is JSON writes to `stderr` whatever is said here."""

    stream: str = "stdout"

    def __post_init__(self) -> None:
        if self.stream not in {"stdout", "stderr"}:
            raise ValueError(f"stream must be stdout or stderr, not {self.stream!r}")


@dataclass(frozen=True, slots=True)
class Console:
    """Writes one line per alert to the stream that `stream()` returns at that moment."""

    stream: Callable[[], TextIO]
    concurrency: int = 1

    def send(self, alert: Alert, deadline: float) -> Outcome:  # noqa: ARG002 - a local write has nothing to wait for
        """Write the alert's line."""
        try:
            stream = self.stream()
            encoding = getattr(stream, "encoding", None) or "utf-8"
            stream.write(line(alert).encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Outcome("rejected", f"cannot write to the console: {escape(error)}")
        return SENT


def line(alert: Alert) -> str:
    """The alert in one printable line."""
    when = _utc(alert.timestamp)
    if alert.message:
        return f"{'TEST ' if alert.test else ''}ALERT {escape(alert.metric)}: {escape(alert.message)}"
    votes = f"{alert.votes} of {len(alert.algorithms_run)}" if alert.algorithms_run else f"{alert.votes}"
    named = f" ({votes}: {', '.join(alert.algorithms)})" if alert.algorithms else ""
    return f"{'TEST ' if alert.test else ''}ANOMALY {escape(alert.metric)} = {alert.value:.6g} at {when}{escape(named)}"


def _utc(timestamp: int) -> str:
    """The timestamp in words, or as it is where the calendar ends."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return str(timestamp)


def build(settings: ConsoleSettings) -> Console:
    """The console alerter on the named stream, looked up at each alert so that redirection works."""
    return Console(lambda: sys.stderr if settings.stream == "stderr" else sys.stdout)


CHANNEL = Channel("console", "lines on the terminal", ConsoleSettings, build)
