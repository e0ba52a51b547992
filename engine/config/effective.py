"""`config show`: every key with the value that is in force, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ridgeline.engine.config.asked import Asked
from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.problems import dotted
from ridgeline.engine.config.reader import Table
from ridgeline.io.text import redact

MASK: Final = "********"
UNSET: Final = "default"
_WIDTH: Final = 50


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its value as JSON knows it (None: not set), and `origin`, `FILE:LINE` or "default"."""

    path: KeyPath
    value: Any
    origin: str

    def as_json(self) -> dict[str, Any]:
        """Return the object of `config show --json`."""
        return {"key": dotted(self.path), "value": self.value, "from": self.origin}


def settings(top: Table, file: str) -> list[Setting]:
    """Every key that was asked for, secrets masked, in the order of the reading."""
    found: list[Setting] = []
    for path, asked in top.problems.notes.asked.items():
        if asked.kind in {"table", "tables"}:
            found += _free(top, path, file)
        else:
            found.append(_setting(top, path, asked, file))
    return found


def _setting(top: Table, path: KeyPath, asked: Asked, file: str) -> Setting:
    given = _value(top, path)
    if given is None:
        return Setting(path, _plain(asked.default), UNSET)
    line = top.problems.line(path)
    return Setting(path, MASK if asked.kind == "secret" else _plain(given), f"{file}:{line}" if line else file)


def _free(top: Table, path: KeyPath, file: str) -> Iterator[Setting]:
    """The entries of a table whose keys are free: nobody asked for them by name."""
    known = top.problems.notes.asked
    values = _value(top, path)
    for key, value in values.items() if isinstance(values, dict) else ():
        if (*path, key) not in known:
            line = top.problems.line((*path, key))
            yield Setting((*path, key), _plain(value), f"{file}:{line}" if line else file)


def _value(top: Table, path: KeyPath) -> Any:
    value: Any = top.values
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _plain(value: Any) -> Any:
    """The value as JSON knows it, without what looks like a credential."""
    match value:
        case str() | Path():
            return redact(value)
        case tuple() | list():
            return [_plain(item) for item in value]
        case bool() | int() | float() | None:
            return value
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case _:
            return redact(value)


def as_text(found: list[Setting]) -> Iterator[str]:
    """Lines as TOML would have them, the origin of each value behind it.

    What is not set is a comment, in the entries of arrays left out.
    """
    tables: dict[KeyPath, list[Setting]] = {}
    for setting in found:
        tables.setdefault(setting.path[:-1], []).append(setting)
    for at, (table, entries) in enumerate(tables.items()):
        in_array = any(isinstance(part, int) for part in table)
        shown = [setting for setting in entries if not in_array or setting.origin != UNSET]
        if shown:
            yield from ("",) if at else ()
            yield _header(table)
            yield from map(_line, shown)


def _line(setting: Setting) -> str:
    key = str(setting.path[-1])
    shown = key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else json.dumps(key)
    if setting.value is None:
        return f"# {shown} is not set"
    return f"{f'{shown} = {as_toml(setting.value)}':<{_WIDTH}} # {setting.origin}"


def _header(table: KeyPath) -> str:
    if any(isinstance(part, int) for part in table):
        named = ".".join(str(part) for part in table if not isinstance(part, int))
        number = next(part for part in table if isinstance(part, int))
        return f"[[{named}]]  # {number}" if isinstance(table[-1], int) else f"[{named}]  # of {dotted(table)}"
    return f"[{dotted(table)}]"


def as_toml(value: Any) -> str:
    """A value in TOML, which for these is JSON but for tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
