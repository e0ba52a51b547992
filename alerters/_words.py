"""Why there is an alert, in plain words: the one place that finds them, for text, HTML and JSON alike.

Everything returned is one printable line each (names are escaped); a channel adds only what its own format needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from ridgeline.alerters._alert import Alert
from ridgeline.alerters._message import Message
from ridgeline.io.text import escape

OURSELVES: Final = "analyzer"  # the context of what Ridgeline itself finds, as siblings spell it


class Fact(NamedTuple):
    """One reason: its name, for tables and JSON, and its words."""

    name: str
    words: str


def facts(alert: Alert, *, resolved: bool = False) -> tuple[Fact, ...]:
    """The reasons of one alert, in reading order: value, expected, direction, votes, channels, since, rule, note, found by.

    What is not known is left out. An alert about Ridgeline itself has its sentence alone. `resolved`: it is over.
    """
    return tuple(Fact(name, words) for name, words in reasons(alert, resolved=resolved).items())


def reasons(alert: Alert, *, resolved: bool = False) -> dict[str, str]:
    """The facts as words by name."""
    return {name: words for name, words in _facts(alert, resolved=resolved) if words}


def _facts(alert: Alert, *, resolved: bool) -> Iterator[tuple[str, str]]:
    if alert.message:
        yield "message", escape(alert.message)
        return
    yield "value", number(alert.value)
    if alert.expected is not None:
        yield "expected", "{} to {}".format(*map(number, alert.expected))
        yield "direction", "" if resolved else {"up": "above", "down": "below", "": ""}[alert.direction]
    if not resolved:
        yield "votes", _votes(alert.algorithms, len(alert.algorithms_run))
        yield "channels", escape(", ".join(alert.channels))
    yield "since", since(alert, resolved=resolved)
    yield "rule", escape(alert.rule)
    yield "note", "" if resolved else escape(alert.note)
    yield "found by", "" if alert.source == OURSELVES else escape(alert.context)


def sentence(alert: Alert, *, resolved: bool = False) -> str:
    """The reasons as one line.

    >>> sentence(Alert("cpu", 9.5, 1700000000, (1.0, 3.0), ("grubbs",), ("grubbs", "ks_test"), rule="cpu"))
    '9.5, expected 1 to 3 (above); 1 of 2 algorithms: grubbs; new; rule "cpu"'
    """
    return in_one_line(reasons(alert, resolved=resolved))


def in_one_line(found: Mapping[str, str]) -> str:
    """The reasons found, by name, as one line."""
    if "message" in found:
        return found["message"]
    what = found["value"]
    if "expected" in found:
        what += f", expected {found['expected']}"
    if "direction" in found:
        what += f" ({found['direction']})"
    rule = f'rule "{found["rule"]}"' if "rule" in found else ""
    sibling = f"found by {found['found by']}" if "found by" in found else ""
    said = [found.get(name, "") for name in ("votes", "channels", "since")]
    parts = [what, *said, rule, found.get("note", ""), sibling]
    return "; ".join(part for part in parts if part)


def since(alert: Alert, *, resolved: bool = False) -> str:
    """`new`, or for how long: `for 12 min`, `normal again after 12 min`; empty for an alert about Ridgeline itself."""
    if alert.message:
        return ""
    if resolved:
        return f"normal again after {duration(alert.age)}" if alert.age else "normal again"
    return f"for {duration(alert.age)}" if alert.ongoing else "new"


def headline(message: Message) -> str:
    """The message in one line, as a subject or title: what, and how many of how many."""
    test = "TEST " if message.test else ""
    if message.single:
        alert = message.first
        name = escape(alert.metric) or "(no name)"
        if alert.message:
            return f"{test}{name}: {escape(alert.message)}"
        if message.resolved:
            return f"{test}{name} is normal again: {number(alert.value)}"
        note = f" ({escape(alert.note)})" if alert.note else ""
        return f"{test}{name} is anomalous: {number(alert.value)}{note}"
    of = f" of {message.fleet:,}" if message.fleet else ""
    share = f" ({100 * message.count / message.fleet:.2g} %)" if message.fleet else ""
    state = "normal again" if message.resolved else "anomalous"
    noun = "metric is" if message.count == 1 and not of else "metrics are"
    rule = f', rule "{escape(message.rule)}"' if message.rule else ""
    return f"{test}{message.count:,}{of} {noun} {state}{share}{rule}"


def lines(message: Message) -> list[str]:
    """The body as lines of text: a line for each metric shown, then "and N more"; links are the channel's to place."""
    if message.single:
        return [sentence(message.first, resolved=message.resolved)]
    shown = [f"{escape(alert.metric)}: {sentence(alert, resolved=message.resolved)}" for alert in message.shown]
    return [*shown, *([f"and {message.more:,} more"] if message.more else [])]


def number(value: float) -> str:
    """Six significant digits, as people read them."""
    return f"{value:.6g}" if math.isfinite(value) else str(float(value))


def duration(seconds: int) -> str:
    """Roughly how long: `40 s`, `12 min`, `3 h`, `2 d`.

    >>> [duration(seconds) for seconds in (0, 59, 60, 719, 5400, 172800)]
    ['0 s', '59 s', '1 min', '11 min', '1.5 h', '2 d']
    """
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    unit, size = ("h", 3600) if seconds < 86400 else ("d", 86400)
    return f"{math.floor(10 * seconds / size) / 10:g} {unit}"


def utc(timestamp: int) -> str:
    """Epoch seconds as `2023-11-14 22:13:20 UTC`, or as they are where the calendar ends."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return str(timestamp)


@lru_cache(maxsize=256)
def _votes(voted: tuple[str, ...], run: int) -> str:
    """Who voted, of how many: the same words for many alerts of a storm."""
    if not voted:
        return ""
    of = f" of {run}" if run else ""
    return escape(f"{len(voted)}{of} algorithms: {', '.join(voted)}")
