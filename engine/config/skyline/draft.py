"""A configuration in the making: tables, secrets apart, and what of the old settings has no place in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

PREFIX: Final = "RIDGELINE_"


@dataclass(frozen=True, slots=True)
class Entry:
    """One key: its value, and the settings it was made of."""

    key: str
    value: Any
    origin: str = ""


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A secret: `key` in the table, kept under `name`."""

    key: str
    name: str
    value: str = field(repr=False)
    origin: str = ""


@dataclass(slots=True)
class Section:
    """One table, or one entry of an array of tables."""

    path: tuple[str, ...]
    array: bool = False
    entries: list[Entry | SecretKey] = field(default_factory=list)


@dataclass(slots=True)
class Draft:
    """The tables in their order. `dropped`: (setting, why); `remarks`: what people should look at."""

    sections: list[Section] = field(default_factory=list)
    dropped: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def put(self, table: str | tuple[str, ...], key: str, value: Any, origin: str = "") -> None:
        """Set a key of a table; tuples become lists."""
        self._section(table).entries.append(Entry(key, value, origin))

    def secret(self, table: str | tuple[str, ...], key: str, value: str, origin: str) -> None:
        """Set a secret, to be kept outside the file."""
        path = (table,) if isinstance(table, str) else table
        name = "_".join((*path, key)).lower()
        self._section(table).entries.append(SecretKey(key, name, value, origin))

    def row(self, table: str, entries: Mapping[str, Any], origin: str = "") -> None:
        """Append an entry to an array of tables; what is None is left out."""
        section = Section((table,), array=True)
        section.entries += [
            Entry(key, value, origin if at == 0 else "")
            for at, (key, value) in enumerate(entries.items())
            if value is not None
        ]
        self.sections.append(section)

    def row_secret(self, key: str, name: str, value: str, origin: str) -> None:
        """Set a secret of the entry that was appended last, to be kept outside the file under `name`."""
        self.sections[-1].entries.append(SecretKey(key, name, value, origin))

    def drop(self, setting: str, why: str) -> None:
        """Say that a setting has no place in the new file."""
        self.dropped.append((setting, why))

    def say(self, sentence: str) -> None:
        """Say something that people should know of the new file."""
        self.remarks.append(sentence)

    def has(self, table: str | tuple[str, ...]) -> bool:
        """Whether a table is there."""
        path = (table,) if isinstance(table, str) else table
        return any(section.path == path for section in self.sections)

    @property
    def secrets(self) -> list[SecretKey]:
        """All secrets."""
        return [entry for section in self.sections for entry in section.entries if isinstance(entry, SecretKey)]

    def _section(self, table: str | tuple[str, ...]) -> Section:
        path = (table,) if isinstance(table, str) else table
        for section in self.sections:
            if section.path == path and not section.array:
                return section
        self.sections.append(Section(path))
        return self.sections[-1]


Place = Literal["file", "env"]


def variable(secret: SecretKey) -> str:
    """The environment variable that a secret is looked for in."""
    cleaned = "".join(c if c.isalnum() and c.isascii() else "_" for c in secret.name)
    return f"{PREFIX}{cleaned}".upper()
