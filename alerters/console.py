"""Alerts as lines on the terminal or in cron's mail."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._channel import Channel
from ridgeline.alerters._message import Message
from ridgeline.alerters._outcome import SENT, Outcome
from ridgeline.alerters._words import headline, sentence, utc
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
    """Writes a line for each metric to the stream that `stream()` returns at that moment."""

    stream: Callable[[], TextIO]
    concurrency: int = 1
    timeout: float = 1.0

    def send(self, message: Message, deadline: float) -> Outcome:  # noqa: ARG002 - a local write has nothing to wait for
        """Write the message's lines."""
        try:
            stream = self.stream()
            encoding = getattr(stream, "encoding", None) or "utf-8"
            text = "".join(f"{line}\n" for line in lines(message))
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            return Outcome("rejected", f"cannot write to the console: {escape(error)}")
        return SENT


def lines(message: Message) -> Iterator[str]:
    """One printable line for each metric shown; a storm has its headline before them and the rest counted after."""
    if message.storm:
        yield f"{_kind(message)} {headline(message)}"
    for alert in message.shown:
        yield f"{_kind(message)} {_line(alert, resolved=message.resolved)}"
    if message.more:
        yield f"... and {message.more:,} more"


def _kind(message: Message) -> str:
    kind = "ALERT" if message.first.message else "RESOLVED" if message.resolved else "ANOMALY"
    return f"TEST {kind}" if message.test else kind


def _line(alert: Alert, *, resolved: bool) -> str:
    """The metric, why, and when."""
    when = "" if alert.message else f" at {utc(alert.timestamp)}"
    return f"{escape(alert.metric)}{when}: {sentence(alert, resolved=resolved)}"


def build(settings: ConsoleSettings) -> Console:
    """The console alerter on the named stream, looked up at each message so that redirection works."""
    return Console(lambda: sys.stderr if settings.stream == "stderr" else sys.stdout)


CHANNEL = Channel("console", "lines on the terminal", ConsoleSettings, build, resolves=True)
