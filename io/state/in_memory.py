"""State that lives as long as the process: for replaying an alert policy over history, and for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from ridgeline.io.state.batch import (
    Add,
    Batch,
    Change,
    Delete,
    Drop,
    Put,
    Remove,
    SetText,
    alert_key,
    from_json,
    own_key,
)
from ridgeline.io.state.interface import MOST, State, as_timestamp
from ridgeline.io.text import encodable


class MemoryState(State):
    """State in dictionaries; `clock` gives the epoch seconds by which values expire."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._texts: dict[str, tuple[str, float]] = {}  # key -> text, epoch seconds of its end
        self._sets: dict[str, set[str]] = {}
        self._hashes: dict[str, dict[str, str]] = {}

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """One look-up each."""
        stored = [self._text(encodable(alert_key(strategy, metric))) for strategy, metric in pairs]
        return [None if text is None else as_timestamp(text) for text in stored]

    def alert_ttls(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """One look-up each."""
        ends = [self._texts.get(encodable(alert_key(strategy, metric)), ("", 0.0))[1] for strategy, metric in pairs]
        return [max(end - self._clock(), 0.0) for end in ends]

    def get_many(self, keys: Sequence[str]) -> list[Any | None]:
        """One look-up each."""
        return [from_json(self._text(own_key(key))) for key in keys]

    def members(self, key: str, most: int = MOST) -> set[str]:
        """A copy."""
        return set(islice(self._sets.get(own_key(key), ()), most))

    def fields(self, key: str, most: int = MOST) -> dict[str, Any]:
        """A copy, decoded."""
        return {name: from_json(text) for name, text in islice(self._hashes.get(own_key(key), {}).items(), most)}

    def pick(self, key: str, names: Sequence[str]) -> list[Any | None]:
        """One look-up each."""
        stored = self._hashes.get(own_key(key), {})
        return [from_json(stored.get(encodable(name))) for name in names]

    def size(self, key: str) -> int:
        """The number of fields."""
        return len(self._hashes.get(own_key(key), {}))

    def apply(self, batch: Batch) -> None:
        """One change after the other."""
        for change in batch.changes:
            self._make(change)

    def abandon(self) -> None:
        """Nothing here waits."""

    def close(self) -> None:
        """Nothing to let go of: what is kept ends with the object."""

    def _text(self, key: str) -> str | None:
        text, end = self._texts.get(key, (None, 0.0))
        return text if self._clock() < end else None

    def _make(self, change: Change) -> None:
        match change:
            case SetText(key, text, ttl):
                self._texts[key] = text, self._clock() + ttl
            case Delete(key):
                for kept in (self._texts, self._sets, self._hashes):
                    kept.pop(key, None)
            case Add(key, members):
                self._sets.setdefault(key, set()).update(members)
            case Remove(key, members):
                self._sets.get(key, set()).difference_update(members)
            case Put(key, fields):
                self._hashes.setdefault(key, {}).update(fields)
            case Drop(key, names):
                for name in names:
                    self._hashes.get(key, {}).pop(name, None)
