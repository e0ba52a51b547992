"""Changes of state that are made together: collected first, then applied in one go.

Keys are written here as they are stored, `ridgeline.` in front; values are JSON text already. So a store only has to
know six plain changes, and a value that is no JSON fails where it is given, not when the batch is applied.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ridgeline.io.text import encodable

PREFIX: Final = "ridgeline."


class Alerted(NamedTuple):
    """An alert that was sent: about the anomaly at `timestamp`, to be remembered for `expiration` seconds."""

    strategy: str
    metric: str
    timestamp: int
    expiration: int


@dataclass(frozen=True, slots=True)
class SetText:
    """Store text under a key for `ttl` seconds."""

    key: str
    text: str
    ttl: int


@dataclass(frozen=True, slots=True)
class Delete:
    """Forget a key, whatever it holds."""

    key: str


@dataclass(frozen=True, slots=True)
class Add:
    """Add members to a set."""

    key: str
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove members from a set."""

    key: str
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class Put:
    """Store fields of a hash."""

    key: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drop:
    """Forget fields of a hash."""

    key: str
    fields: Sequence[str]


Change = SetText | Delete | Add | Remove | Put | Drop


@dataclass(slots=True)
class Batch:
    """Changes in the order they are to be made. Sets and hashes have no time to live: their owners prune them."""

    changes: list[Change] = field(default_factory=list)

    def alerted(self, alerts: Iterable[Alerted]) -> None:
        """Remember alerts, each for its expiration (at least 1 second)."""
        for strategy, metric, timestamp, expiration in alerts:
            self._set_text(encodable(alert_key(strategy, metric)), str(int(timestamp)), expiration)

    def set(self, key: str, value: Any, ttl: float) -> None:
        """Store a JSON value for `ttl` seconds, rounded up; ValueError where it is no JSON or ttl is not positive."""
        self._set_text(own_key(key), as_json(value), ttl)

    def delete(self, *keys: str) -> None:
        """Forget values, sets or hashes as a whole."""
        self.changes += [Delete(own_key(key)) for key in keys]

    def add(self, key: str, members: Iterable[str]) -> None:
        """Add members to the set `key`."""
        if some := [encodable(member) for member in members]:
            self.changes.append(Add(own_key(key), some))

    def remove(self, key: str, members: Iterable[str]) -> None:
        """Remove members from the set `key`."""
        if some := [encodable(member) for member in members]:
            self.changes.append(Remove(own_key(key), some))

    def put(self, key: str, fields: Mapping[str, Any]) -> None:
        """Store JSON values as fields of the hash `key`; ValueError where one is no JSON."""
        if some := {encodable(name): as_json(value) for name, value in fields.items()}:
            self.changes.append(Put(own_key(key), some))

    def drop(self, key: str, fields: Iterable[str]) -> None:
        """Forget fields of the hash `key`."""
        if some := [encodable(name) for name in fields]:
            self.changes.append(Drop(own_key(key), some))

    def _set_text(self, key: str, text: str, ttl: float) -> None:
        if not ttl > 0:
            raise ValueError(f"a time to live must be positive, not {ttl}")
        self.changes.append(SetText(key, text, math.ceil(ttl)))


def own_key(key: str) -> str:
    """The stored name of a key that only Ridgeline reads."""
    return encodable(PREFIX + key)


def alert_key(strategy: str, metric: str) -> str:
    """The key Skyline uses for the last alert, so that siblings see ours and we see theirs."""
    return f"last_alert.{strategy}.{metric}"


def as_json(value: Any) -> str:
    """JSON text without NaN or infinity; ValueError for what is none."""
    try:
        return _ENCODER.encode(value)
    except TypeError as error:
        raise ValueError(f"not JSON: {error}") from error


def from_json(text: str | None) -> Any | None:
    """The value of JSON text; None for no text and for text that is no JSON."""
    try:
        return None if text is None else _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


# One of each: the module's functions would make a new one for every call with other than the default options.
_ENCODER: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
