"""Reads one table of a configuration key by key: checks each value, notes every problem, and knows which keys exist."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from ridgeline.alerters import Secret
from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.problems import Problems, suggestion
from ridgeline.engine.config.secret import exposure, from_environment, from_file
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.units import parse_duration, parse_size
from ridgeline.io.errors import InputError

T = TypeVar("T")

_KINDS: Final = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list in [ ]",
    dict: "a table",
}


class Table:
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

    def refuse(self, key: str, text: str) -> None:
        """Note a problem with one key."""
        self.problems.add((*self.path, key), text)

    def string(self, key: str, default: T, *, empty: bool = False) -> str | T:
        """Read a text, not empty unless that is allowed."""
        value = self._typed(key, str)
        if value is None:
            return default
        if not value and not empty:
            self.refuse(key, "must not be empty")
            return default
        return str(value)

    def pattern(self, key: str) -> str | None:
        """Read a pattern of metrics; it may be empty, and then matches all."""
        text = self.string(key, None, empty=True)
        if text is not None and not self._is_pattern((*self.path, key), text):
            return None
        return text

    def patterns(self, key: str) -> tuple[str, ...]:
        """Read a list of patterns of metrics; none where the key is absent."""
        texts = self.strings(key, ())
        good = [self._is_pattern((*self.path, key, at), text) for at, text in enumerate(texts)]
        return texts if all(good) else ()

    def choice(self, key: str, known: Collection[str], default: T, noun: str = "") -> str | T:
        """Read one of the known words; `noun` says what they are, where the key does not."""
        value = self._typed(key, str)
        if value is None:
            return default
        if value not in known:
            self.refuse(key, f'there is no {noun or key} "{value}"; {suggestion(value, known)}')
            return default
        return str(value)

    def choices(self, key: str, known: Collection[str], default: T, noun: str) -> tuple[str, ...] | T:
        """Read a list of known words, each once; `noun` says what they are."""
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

    def strings(self, key: str, default: T) -> tuple[str, ...] | T:
        """Read a list of texts, not empty."""
        value = self._typed(key, list)
        if value is None:
            return default
        if not value or not all(isinstance(item, str) and item for item in value):
            self.refuse(key, "must be a list of texts, at least one of them")
            return default
        return tuple(value)

    def boolean(self, key: str, default: T) -> bool | T:
        """Read true or false."""
        value = self._typed(key, bool)
        return default if value is None else bool(value)

    def integer(self, key: str, default: T, *, low: int = 0, high: int = 2**31) -> int | T:
        """Read a whole number within bounds, ends included."""
        value = self._typed(key, int)
        if value is None:
            return default
        if not low <= value <= high:
            self.refuse(key, f"must lie between {low} and {high}")
            return default
        return int(value)

    def number(self, key: str, default: T, *, low: float = 0.0, above: bool = False) -> float | T:
        """Read a finite number, at least `low` (or above it)."""
        value = self._typed(key, float)
        if value is None:
            return default
        if not math.isfinite(value) or value < low or (above and value == low):
            self.refuse(key, f"must be a finite number {'above' if above else 'of at least'} {low:g}")
            return default
        return float(value)

    def seconds(self, key: str, default: float) -> float:
        """Read a positive number of seconds, fractions allowed, or a text like "5m"."""
        if isinstance(self.values.get(key), str):
            return self.duration(key, default)
        return self.number(key, default, above=True)

    def duration(self, key: str, default: T) -> int | T:
        """Read a duration in seconds from a number or a text like "24h"."""
        return self._parsed(key, default, parse_duration)

    def size(self, key: str, default: T) -> int | T:
        """Read a size in bytes from a number or a text like "2GiB"."""
        return self._parsed(key, default, parse_size)

    def file(self, key: str, default: T) -> Path | T:
        """Read a path, `~` expanded; relative ones count from the working directory."""
        text = self.string(key, None)
        if text is None:
            return default
        if "\0" in text:
            self.refuse(key, "holds a NUL character, which no path can")
            return default
        try:
            return Path(text).expanduser()
        except RuntimeError:
            self.refuse(key, "names a home folder that cannot be found")
            return default

    def secret(self, key: str, *, plain: bool = False, environ: Mapping[str, str] = os.environ) -> Secret | None:
        """Read a secret from the environment variable in KEY_env or the file in KEY_file; in KEY itself if `plain`."""
        by_env, by_file = f"{key}_env", f"{key}_file"
        if plain and key in self:
            written = self.string(key, None)
            return None if written is None else Secret(written)
        if plain:
            self.known.append(key)
        elif key in self.values:
            self.known.append(key)
            self.refuse(key, f"secrets do not belong in this file: name a variable in {by_env} or a file in {by_file}")
        variable, path = self.string(by_env, None), self.file(by_file, None)
        if variable is not None and path is not None:
            self.refuse(by_file, f"give either {by_env} or {by_file}, not both")
            return None
        try:
            if variable is not None:
                return from_environment(variable, environ)
            if path is None:
                return None
            found = from_file(path)
        except ValueError as error:
            self.refuse(by_env if variable is not None else by_file, str(error))
            return None
        exposed = exposure(path)
        if exposed is not None:
            self.problems.warn((*self.path, by_file), exposed)
        return found

    def table(self, key: str) -> Table:
        """Return a table below this one, empty if absent."""
        value = self._typed(key, dict)
        return Table({} if value is None else value, (*self.path, key), self.problems)

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the entries of an array of tables."""
        value = self._typed(key, list)
        for at, entry in enumerate(value or ()):
            path = (*self.path, key, at)
            if isinstance(entry, dict):
                yield Table(entry, path, self.problems)
            else:
                self.problems.add(path, f"must be a table; write it as [[{key}]]")

    def finish(self) -> None:
        """Refuse every key that was not asked for."""
        for key in self.values:
            if key not in self.known:
                self.refuse(key, f"there is no such key; {suggestion(key, self.known)}")

    def _is_pattern(self, path: KeyPath, text: str) -> bool:
        try:
            parse_pattern(text)
        except InputError as error:
            self.problems.add(path, str(error))
            return False
        return True

    def _parsed(self, key: str, default: T, parse: Callable[[str | int], int]) -> int | T:
        self.known.append(key)
        if key not in self.values:
            return default
        value = self.values[key]
        if not isinstance(value, str | int) or isinstance(value, bool) or not _in_range(value):
            self.refuse(key, "must be a whole number, or a number and its unit in quotes")
            return default
        try:
            return parse(value)
        except InputError as error:
            self.refuse(key, str(error))
            return default

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
        if not _in_range(value):
            self.refuse(key, "is too large a number")
            return None
        return value


def _in_range(value: object) -> bool:
    """Whether a value is no whole number beyond TOML's 64 bits, which the standard library reads all the same."""
    return not isinstance(value, int) or -(2**63) <= value < 2**63
