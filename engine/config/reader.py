"""Reads one table of a configuration key by key: besides plain values, durations, patterns, paths, secrets and tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from ridgeline.engine.config.asked import Asked
from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.scalars import Scalars, in_range
from ridgeline.engine.config.secret import exposure, from_environment, from_file
from ridgeline.engine.rules.pattern import parse_pattern
from ridgeline.engine.units import parse_duration, parse_size
from ridgeline.io.errors import InputError
from ridgeline.io.secret import Secret

T = TypeVar("T")


class Table(Scalars):
    """A table being read, with every kind of value that a configuration has."""

    def seconds(self, key: str, default: float) -> float:
        """Read a positive number of seconds, fractions allowed, or a text like "5m"."""
        self.note(key, Asked("duration", default, low=0, above=True))
        if isinstance(self.values.get(key), str):
            return self.duration(key, default)
        return self.number(key, default, above=True)

    def duration(self, key: str, default: T) -> int | T:
        """Read a duration in seconds from a number or a text like "24h"."""
        self.note(key, Asked("duration", default))
        return self._parsed(key, default, parse_duration)

    def size(self, key: str, default: T) -> int | T:
        """Read a size in bytes from a number or a text like "2GiB"."""
        self.note(key, Asked("size", default))
        return self._parsed(key, default, parse_size)

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

    def choice_or_patterns(self, key: str, words: tuple[str, ...], default: str) -> str | tuple[str, ...]:
        """Read one of the known words, or a list of patterns of metrics."""
        self.note(key, Asked("word or texts", default, words))
        if isinstance(self.values.get(key), list):
            return self.patterns(key) or default
        return self.choice(key, words, default)

    def check_patterns(self, key: str) -> None:
        """Check that the keys of a table below this one are patterns of metrics."""
        for text in self.table(key).values:
            self._is_pattern((*self.path, key, text), text)

    def file(self, key: str, default: T) -> Path | T:
        """Read a path, `~` expanded; relative ones count from the working directory."""
        self.note(key, Asked("text", default))
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

    def file_or_none(self, key: str) -> Path | bool:
        """Read a path as `file` does, or False where there is to be no such file; True where the key is absent."""
        self.note(key, Asked("text or false"))
        if self.values.get(key) is False:
            self.known.append(key)
            return False
        if isinstance(self.values.get(key), bool):
            self.known.append(key)
            self.refuse(key, "must be text in quotes, or false")
            return True
        return self.file(key, True)

    def secret(self, key: str, *, plain: bool = False, environ: Mapping[str, str] = os.environ) -> Secret | None:
        """Read a secret from the environment variable in KEY_env or the file in KEY_file; in KEY itself if `plain`."""
        by_env, by_file = f"{key}_env", f"{key}_file"
        if plain:
            self.note(key, Asked("secret"))
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
        self.note(key, Asked("table"))
        value = self._typed(key, dict)
        return Table({} if value is None else value, (*self.path, key), self.problems)

    def tables(self, key: str) -> Iterator[Table]:
        """Yield the entries of an array of tables."""
        self.note(key, Asked("tables"))
        value = self._typed(key, list)
        for at, entry in enumerate(value or ()):
            path = (*self.path, key, at)
            if isinstance(entry, dict):
                yield Table(entry, path, self.problems)
            else:
                self.problems.add(path, f"must be a table; write it as [[{key}]]")

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
        if not isinstance(value, str | int) or isinstance(value, bool) or not in_range(value):
            self.refuse(key, "must be a whole number, or a number and its unit in quotes")
            return default
        try:
            return parse(value)
        except InputError as error:
            self.refuse(key, str(error))
            return default
