"""External alert configurations: rules that somebody else's service keeps, in Skyline's JSON, and what is taken of them.

    {"data": {ID: {"alerter", "namespace", "expiration", "second_order_resolution",
                   "namespace_prefix"?, "second_order_resolution_hours"?, "boundary"?, ...}}}

They choose metrics, configured strategies and an expiration; nothing else of theirs is looked at, recipients least of all.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.strategy import kind_of
from ridgeline.engine.rules.pattern import is_plain, parse_pattern
from ridgeline.io.errors import InputError
from ridgeline.io.net.transport import Endpoint
from ridgeline.io.secret import Secret
from ridgeline.io.text import escape, truncate

METHODS: Final = ("GET", "POST")
KEYS: Final = (
    "alerter",
    "namespace",
    "namespace_prefix",
    "expiration",
    "second_order_resolution",
    "second_order_resolution_hours",
)
MOST_ROWS: Final = 1000  # of one service
MOST_EXPRESSIONS: Final = 100  # of them those that are more than a part of a name: each is tried on every anomaly
LONGEST_PATTERN: Final = 200
LONGEST_ID: Final = 100
LONGEST_EXPIRATION: Final = 86400  # seconds that a service may keep a metric quiet
HOUR: Final = 3600
MOST_HOURS: Final = 24 * 366


@dataclass(frozen=True, slots=True)
class ExternalAlerts:
    """One `[[external_alerts]]`: a service that is asked for rules. ValueError is a sentence that begins with the key."""

    name: str
    url: Secret
    method: str = "GET"
    token: Secret | None = None

    def __post_init__(self) -> None:
        Endpoint.parse(self.url.reveal())
        if self.token is not None and not (self.token.reveal().isascii() and self.token.reveal().isprintable()):
            raise ValueError("token must be one line of ASCII text")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was taken of a reply: rules, in words why each of the others is not used, and what to keep of the reply."""

    rows: tuple[AlertRow, ...]
    refused: tuple[str, ...]
    data: Mapping[str, Any]


def read_rows(reply: Any, known: Container[str]) -> Reading:
    """Read a reply; `known`: configured strategies. ValueError where it is nonsense, as a whole or in every rule."""
    data = reply.get("data") if isinstance(reply, Mapping) else None
    if not isinstance(data, Mapping):
        raise ValueError('its answer is not {"data": {...}}')  # noqa: TRY004 - nonsense, whatever the type
    rows: list[AlertRow] = []
    refused: list[str] = []
    kept: dict[str, Any] = {}
    expressions = 0
    for at, (identity, told) in enumerate(data.items()):
        if at == MOST_ROWS:
            refused += [f"it holds more than {MOST_ROWS:,}"] * (len(data) - at)
            break
        try:
            row = _row(identity, told, known)
            if row is None:
                continue
            expressions += not is_plain(row.match)
            _check_pattern(row.match, expressions)
        except (ValueError, InputError) as error:
            refused.append(f"{escape(truncate(identity, LONGEST_ID))}: {escape(error)}")
            continue
        rows.append(row)
        kept[identity] = {key: told[key] for key in KEYS if key in told}
    if refused and not rows:
        raise ValueError(f"none of its rules can be used: {refused[0]}")
    return Reading(tuple(rows), tuple(refused), kept)


def _check_pattern(match: str, expressions: int) -> None:
    """Refuse what is no pattern, and one regular expression too many before it costs anything."""
    if expressions > MOST_EXPRESSIONS:
        raise ValueError(f"more than {MOST_EXPRESSIONS} regular expressions")
    parse_pattern(match)


def in_order(rows: Sequence[AlertRow], external: Sequence[AlertRow], mails: Container[str]) -> tuple[AlertRow, ...]:
    """All rules in Skyline's order: our own of mail, the external ones, our own others. `mails`: the strategies of mail.

    (What Skyline puts before them all, each external rule as one of mail to nobody, only made files for its siblings.)
    """
    if not external:
        return tuple(rows)
    return (*_only(rows, mails, wanted=True), *external, *_only(rows, mails, wanted=False))


def _only(rows: Iterable[AlertRow], mails: Container[str], *, wanted: bool) -> Iterator[AlertRow]:
    """The rules with those of their strategies that are of mail, or with the others."""
    for row in rows:
        names = tuple(name for name in row.strategies if (name in mails) == wanted)
        if names:
            yield replace(row, strategies=names)


def _row(identity: str, told: Any, known: Container[str]) -> AlertRow | None:
    """One rule; None for one that is for another program. ValueError or InputError says what is wrong."""
    if not isinstance(told, Mapping):
        raise ValueError("is no object")  # noqa: TRY004 - whatever it is, it is no rule
    if told.get("boundary"):
        return None
    if len(identity) > LONGEST_ID:
        raise ValueError(f"its id is longer than {LONGEST_ID} characters")
    return AlertRow(
        _pattern(told),
        _strategies(told.get("alerter"), known),
        expiration=int(_number(told, "expiration", 1, LONGEST_EXPIRATION)),
        second_order_hours=_hours(told),
        external_id=identity,
    )


def _strategies(alerter: Any, known: Container[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in alerter.split("|"))) if isinstance(alerter, str) else ()
    if not all(names) or not names:
        raise ValueError("alerter names no strategy")
    return tuple(dict.fromkeys(_strategy(name, known) for name in names))


def _strategy(name: str, known: Container[str]) -> str:
    """The configured strategy that is meant: that of the name, else the one of its kind."""
    for one in (name, kind_of(name)):
        if one in known:
            return one
    raise ValueError(f'"{escape(truncate(name, LONGEST_ID))}" is no strategy of the configuration')


def _pattern(told: Mapping[str, Any]) -> str:
    """The namespace below its prefix, commas for dots, as Skyline reads it."""
    namespace, prefix = told.get("namespace"), told.get("namespace_prefix")
    if not isinstance(namespace, str) or not namespace or not isinstance(prefix, str | None):
        raise ValueError("namespace names no metrics")
    whole = f"{prefix}.{namespace}" if prefix and prefix != namespace else namespace
    if len(whole) > LONGEST_PATTERN:
        raise ValueError(f"namespace is longer than {LONGEST_PATTERN} characters")
    return whole.replace(",", ".")


def _hours(told: Mapping[str, Any]) -> int:
    """The hours that Mirage looks back on, from either way of telling them."""
    if told.get("second_order_resolution_hours") is not None:
        return int(_number(told, "second_order_resolution_hours", 0, MOST_HOURS))
    if told.get("second_order_resolution") is not None:
        return int(_number(told, "second_order_resolution", 0, MOST_HOURS * HOUR) / HOUR)
    return 0


def _number(told: Mapping[str, Any], key: str, low: int, high: int) -> float:
    value = told.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} is no number")  # noqa: TRY004 - a wrong rule, whatever the type
    if not low <= value <= high:
        raise ValueError(f"{key} must lie between {low} and {high}")
    return value
