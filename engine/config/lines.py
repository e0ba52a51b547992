"""On which line of a TOML text each key stands; the standard library's parser does not say.

The text has been parsed already, so the scanner trusts its syntax and only keeps count.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_left
from typing import Final

KeyPath = tuple[str | int, ...]

_STRING: Final = (
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
)
_SKIP: Final = re.compile(rf"{_STRING}|\#[^\n]*|\n|[\[\]{{}},]|[^\"'#\n\[\]{{}},]+", re.DOTALL)
_KEY: Final = re.compile(r"""\s*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Return the line (from 1) of every table and key of a valid TOML text; `[[x]]` entries count from 0."""
    return _Scanner(text.replace("\r\n", "\n")).scan()


class _Scanner:
    """One pass over the text: headers set the table, keys are noted, values are stepped over."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.breaks = [found.start() for found in re.finditer("\n", text)]
        self.lines: dict[KeyPath, int] = {}
        self.counts: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while True:
            self._blank()
            if self.at >= len(self.text):
                return self.lines
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _blank(self) -> None:
        found = _BLANK.match(self.text, self.at)
        assert found is not None
        self.at = found.end()

    def _line(self) -> int:
        return bisect_left(self.breaks, self.at) + 1

    def _key(self) -> tuple[str, ...]:
        parts = []
        while True:
            found = _KEY.match(self.text, self.at)
            if found is None:
                raise ValueError(f"no key at offset {self.at}")
            self.at = found.end()
            parts.append(_unquoted(found[1]))
            if not found[2]:
                return tuple(parts)

    def _resolved(self, key: tuple[str, ...]) -> KeyPath:
        """A header's path, with the index of the newest entry after each array of tables."""
        path: KeyPath = ()
        for part in key:
            path = (*path, part)
            if path in self.counts:
                path = (*path, self.counts[path])
        return path

    def _header(self) -> KeyPath:
        many = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if many else 1
        key = self._key()
        self.at = self.text.index("]", self.at) + (2 if many else 1)
        if not many:
            path = self._resolved(key)
        else:
            array = (*self._resolved(key[:-1]), key[-1])
            self.lines.setdefault(array, line)
            self.counts[array] = self.counts.get(array, -1) + 1
            path = (*array, self.counts[array])
        self._note(path, line)
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._note(path, line, len(table))
        self.at = self.text.index("=", self.at) + 1
        self._value(path)

    def _note(self, path: KeyPath, line: int, known: int = 0) -> None:
        for end in range(known + 1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def _value(self, path: KeyPath) -> None:
        """Step over one value; inside inline tables and arrays, note keys and entries on the way."""
        self._blank()
        opening = self.text[self.at]
        if opening not in "[{":
            found = _SKIP.match(self.text, self.at)
            if found is None:
                raise ValueError(f"no value at offset {self.at}")
            self.at = found.end()
            return
        self.at += 1
        entry = 0
        while True:
            self._blank()
            if self.text[self.at] in "]}":
                self.at += 1
                return
            if self.text[self.at] == ",":
                self.at += 1
            elif opening == "{":
                self._pair(path)
            else:
                self.lines.setdefault((*path, entry), self._line())
                self._value((*path, entry))
                entry += 1


def _unquoted(key: str) -> str:
    """Return a key as tomllib reads it."""
    return next(iter(tomllib.loads(f"{key} = 0"))) if key[0] in "\"'" else key
