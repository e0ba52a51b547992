"""Skyline's tuples, read by the shape of what they hold, not by its place: its callers use several layouts.

A row is (pattern, strategies, expiration, ...) and a metric (value, name, timestamp, ...); what follows may be any of
Skyline's further items in any order. What has no known shape is passed over: it never costs an alert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Final

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.digest import stale_alert
from ridgeline.engine.alerts.rule import EXPIRATION
from ridgeline.io.errors import InputError

TEST: Final = "TEST - "  # what Skyline puts before the value of some of its tests
HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Row:
    """What Skyline's `alert` says.

    names          strategies, or mail addresses, in its order and each once
    hours          of the second-order window, 0 for none
    external       whether it is an external alert's, whose mail goes to nobody unless recipients are configured
    anomaly_id, score    what Skyline's Analyzer appends for http alerters
    """

    pattern: str
    names: tuple[str, ...]
    expiration: int = EXPIRATION
    hours: int = 0
    test: bool = False
    external: bool = False
    external_id: str | None = None
    anomaly_id: str | None = None
    score: float | None = None


def read_row(alert: Any) -> Row:
    """Read Skyline's `alert`. Raises InputError where it does not begin with a pattern and strategies."""
    if not _is_list(alert) or len(alert) < 2 or not all(isinstance(item, str) for item in alert[:2]):
        raise InputError("alert must be (pattern, strategy, expiration, ...), the first two of them text")
    names = tuple(dict.fromkeys(name for part in alert[1].split("|") if (name := part.strip())))
    if not names:
        raise InputError("alert names no strategy")
    row, numbers = Row(alert[0], names), []
    for item in alert[2:]:
        number = _number(item)
        if number is not None:
            numbers.append(max(int(number), 0))
        elif isinstance(item, Mapping):
            row = _with_words(row, item)
        elif isinstance(item, str):
            row = replace(row, external=row.external or item == "external")
        elif _is_list(item) and len(item) == 2:
            row = _with_pair(row, *item)
    expiration, hours = (*numbers, *(EXPIRATION, 0)[len(numbers) :])[:2]
    return replace(row, expiration=expiration, hours=hours)


def _with_words(row: Row, words: Mapping[Any, Any]) -> Row:
    """The row with a test's mark, or with an external alert's configuration."""
    kind, identity, external_id = words.get("type"), words.get("id"), row.external_id
    if kind == "external" and identity is not None:
        external_id = str(identity).removeprefix("external-")
    external = row.external or kind == "external"
    return replace(row, test=row.test or bool(words.get("test alert")), external=external, external_id=external_id)


def _with_pair(row: Row, name: Any, value: Any) -> Row:
    """The row with what Analyzer knows of the anomaly; a value of None is not known."""
    if name == "anomaly_id" and value is not None:
        return replace(row, anomaly_id=str(value))
    if name == "anomalyScore":
        return replace(row, score=_number(value))
    return row


def read_alert(row: Row, metric: Any, context: Any, full_duration: int, after: float, now: float) -> Alert:
    """The alert of a row about Skyline's `metric`, for no strategy yet; with a list of names the digest of stale ones.

    `full_duration` and `after` (how old is stale) are seconds, `now` epoch seconds, for a metric without a timestamp. A
    value that is no number is NaN. Raises InputError where `metric` does not begin with a value and a name.
    """
    if not _is_list(metric) or len(metric) < 2:
        raise InputError("metric must be (value, name, timestamp, ...)")
    name, rest = metric[1], metric[2:]
    timestamp = int(next((number for item in rest if (number := _number(item)) is not None), now))
    if _is_list(name) or isinstance(name, (set, frozenset)):
        stale = [str(one) for one in (sorted(name, key=str) if isinstance(name, (set, frozenset)) else name)]
        return replace(stale_alert(stale, timestamp, after), context=str(context), test=row.test)
    if not isinstance(name, str):
        raise InputError("metric must be (value, name, timestamp, ...), its name text or a list of stale names")
    value, marked = _value(metric[0])
    voted, ran = (*(_names(item) for item in rest if _is_list(item)), (), ())[:2]
    return Alert(
        name,
        value,
        timestamp,
        algorithms=voted,
        algorithms_run=ran,
        rule=row.pattern,
        expiration=row.expiration,
        full_duration=row.hours * HOUR or full_duration,
        anomaly_id=row.anomaly_id,
        external_id=row.external_id,
        score=row.score,
        context=str(context),
        test=row.test or marked,
    )


def _value(value: Any) -> tuple[float, bool]:
    """The value, and whether it is marked as a test's."""
    marked = isinstance(value, str) and value.startswith(TEST)
    try:
        return float(value[len(TEST) :] if marked else value), marked
    except (TypeError, ValueError, OverflowError):
        return math.nan, marked


def _number(item: Any) -> float | None:
    """A finite number, else None."""
    if isinstance(item, bool) or not isinstance(item, Real):
        return None
    try:
        number = float(item)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _names(items: Sequence[Any]) -> tuple[str, ...]:
    return tuple(item for item in items if isinstance(item, str))


def _is_list(item: Any) -> bool:
    return isinstance(item, (list, tuple))
