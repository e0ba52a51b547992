"""The plain values of a table of a configuration: each checked, each problem noted, each key that exists known."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

from ridgeline.engine.config.asked import Asked, one_of
from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.problems import Problems, suggestion

T = TypeVar("T")

_KINDS: Final = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list in [ ]",
    dict: "a table",
}


class Scalars:
    """A table being read. Each reading method returns the default where the key is absent or its value is wrong.

    `finish` then refuses the keys that no method asked for.
    """

    def __init__(self, values: Mapping[str, Any], path: KeyPath, problems: Problems) -> None:
        self.values = values
        self.path = path
        self.problems = problems
        self.known: list[str] = []

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def note(self, key: str, asked: Asked) -> None:
        """Say that there is such a key."""
        self.problems.notes.note((*self.path, key), asked)

    def usually(self, key: str, default: Any) -> None:
        """Say what a key is where it is absent and its reader does not know."""
        self.problems.notes.usually((*self.path, key), default)

    def refuse(self, key: str, text: str) -> None:
        """Note a problem with one key."""
        self.problems.add((*self.path, key), text)

    def string(self, key: str, default: T, *, empty: bool = False) -> str | T:
        """Read a text, not empty unless that is allowed."""
        self.note(key, Asked("text", default))
        value = self._typed(key, str)
        if value is None:
            return default
        if not value and not empty:
            self.refuse(key, "must not be empty")
            return default
        return str(value)

    def choice(self, key: str, known: Collection[str], default: T, noun: str = "") -> str | T:
        """Read one of the known words; `noun` says what they are, where the key does not."""
        self.note(key, one_of(known, default))
        value = self._typed(key, str)
        if value is None:
            return default
        if value not in known:
            self.refuse(key, f'there is no {noun or key} "{value}"; {suggestion(value, known)}')
            return default
        return str(value)

    def choices(self, key: str, known: Collection[str], default: T, noun: str) -> tuple[str, ...] | T:
        """Read a list of known words, each once; `noun` says what they are."""
        self.note(key, Asked("texts", default, tuple(known)))
        words = self.strings(key, None)
        if words is None:
            return default
        good = True
        for at, word in enumerate(words):
            if word not in known:
                self.problems.add((*self.path, key, at), f'there is no {noun} "{word}"; {suggestion(word, known)}')
            elif word in words[:at]:
                self.problems.add((*self.path, key, at), f'"{word}" is listed twice')
            else:
                continue
            good = False
        return words if good else default

    def strings(self, key: str, default: T, *, empty: bool = False) -> tuple[str, ...] | T:
        """Read a list of texts; an `empty` one only where it means something."""
        self.note(key, Asked("texts", default))
        value = self._typed(key, list)
        if value is None:
            return default
        if not (value or empty) or not all(isinstance(item, str) and item for item in value):
            self.refuse(key, "must be a list of texts" + ("" if empty else ", at least one of them"))
            return default
        return tuple(value)

    def boolean(self, key: str, default: T) -> bool | T:
        """Read true or false."""
        self.note(key, Asked("boolean", default))
        value = self._typed(key, bool)
        return default if value is None else bool(value)

    def integer(self, key: str, default: T, *, low: int = 0, high: int = 2**31) -> int | T:
        """Read a whole number within bounds, ends included."""
        self.note(key, Asked("integer", default, low=low, high=high))
        value = self._typed(key, int)
        if value is None:
            return default
        if not low <= value <= high:
            self.refuse(key, f"must lie between {low} and {high}")
            return default
        return int(value)

    def whole_numbers(self, key: str) -> tuple[int, ...] | None:
        """Read a list of whole numbers; None where it is absent or wrong."""
        self.note(key, Asked("integers"))
        value = self._typed(key, list)
        if value is None:
            return None
        if not all(isinstance(item, int) and not isinstance(item, bool) for item in value):
            self.refuse(key, "must be a list of whole numbers")
            return None
        return tuple(value)

    def number(self, key: str, default: T, *, low: float = 0.0, above: bool = False) -> float | T:
        """Read a finite number, at least `low` (or above it)."""
        self.note(key, Asked("number", default, low=low, above=above))
        value = self._typed(key, float)
        if value is None:
            return default
        if not math.isfinite(value) or value < low or (above and value == low):
            self.refuse(key, f"must be a finite number {'above' if above else 'of at least'} {low:g}")
            return default
        return float(value)

    def finish(self) -> None:
        """Refuse every key that was not asked for."""
        for key in self.values:
            if key not in self.known:
                self.refuse(key, f"there is no such key; {suggestion(key, self.known)}")

    def _typed(self, key: str, kind: type) -> Any:
        """Return the value if it is there and of its kind, else None."""
        self.known.append(key)
        if key not in self.values:
            return None
        value = self.values[key]
        right = isinstance(value, int | float if kind is float else kind)
        if not right or (isinstance(value, bool) and kind is not bool):
            self.refuse(key, f"must be {_KINDS[kind]}")
            return None
        if not in_range(value):
            self.refuse(key, "is too large a number")
            return None
        return value


def in_range(value: object) -> bool:
    """Whether a value is no whole number beyond TOML's 64 bits, which the standard library reads all the same."""
    return not isinstance(value, int) or -(2**63) <= value < 2**63
