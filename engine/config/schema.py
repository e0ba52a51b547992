"""`config schema`: a JSON schema of the whole configuration, for editors, made by asking the readers what they ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ridgeline.alerters import load
from ridgeline.engine.config.asked import Asked, Notes
from ridgeline.engine.config.fields import read_fields
from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.load import read_tables
from ridgeline.engine.config.problems import Problems
from ridgeline.engine.config.reader import Table
from ridgeline.engine.config.template import TEMPLATE

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DURATION: Final = r"^\s*(\d+|(\d+[smhdwSMHDW])+)\s*$"
ALERTERS: Final = "alerters"
DEEPEST: Final = 6  # tables within tables
_HEADER: Final = re.compile(r"^(?:# )?\[{1,2}([\w.-]+)\]{1,2}")
_KEY: Final = re.compile(r"^(?:# )?(\w+) = [^#]*?(?:\s# (.+))?$")


def schema() -> dict[str, Any]:
    """The schema. Every table that a reader knows is in it, with its keys, their kinds, bounds, words and defaults."""
    notes = _notes()
    described = _descriptions(TEMPLATE)
    root = _table((), notes.asked, described)
    return {"$schema": DIALECT, "title": "Ridgeline's configuration", **root}


def _notes() -> Notes:
    """What is asked for where every table is there: found by giving the readers each table that they ask for."""
    values: dict[str, Any] = {}
    for _ in range(DEEPEST):
        top = Table(values, (), Problems())
        read_tables(top, Path("ridgeline.toml"), {})
        for path, asked in top.problems.notes.asked.items():
            if path[0] != ALERTERS:
                _supply(values, path, asked)
    for kind, channel in load().items():
        table = top.table(ALERTERS).table(kind)
        table.string("module", None)
        table.string("kind", None)
        read_fields(table, channel.settings, environ={})
    return top.problems.notes


def _supply(values: dict[str, Any], path: KeyPath, asked: Asked) -> None:
    """Put an empty table where one was asked for."""
    if asked.kind not in {"table", "tables"}:
        return
    inner: Any = values
    for part in path[:-1]:
        inner = inner[part]
    inner.setdefault(path[-1], {} if asked.kind == "table" else [{}])


def _table(path: KeyPath, asked: Mapping[KeyPath, Asked], described: Mapping[KeyPath, str]) -> dict[str, Any]:
    """The schema of one table. One whose keys nobody asks for by name may hold any."""
    properties: dict[str, Any] = {}
    for below, one in asked.items():
        if len(below) != len(path) + 1 or below[:-1] != path:
            continue
        key = str(below[-1])
        if one.kind == "table":
            properties[key] = _table(below, asked, described)
        elif one.kind == "tables":
            properties[key] = {"type": "array", "items": _table((*below, 0), asked, described)}
        else:
            properties[key] = _value(one)
        text = described.get(tuple(part for part in below if not isinstance(part, int)))
        if text:
            properties[key]["description"] = text
    found: dict[str, Any] = {"type": "object"}
    if properties:
        found["properties"] = properties
        found["additionalProperties"] = {"type": "object"} if path == (ALERTERS,) else False
    return found


def _value(asked: Asked) -> dict[str, Any]:
    kinds: dict[str, dict[str, Any]] = {
        "text": {"type": "string"},
        "secret": {"type": "string"},
        "boolean": {"type": "boolean"},
        "integer": {"type": "integer"},
        "number": {"type": "number"},
        "texts": {"type": "array", "items": {"type": "string"}},
        "word or texts": {"anyOf": [{"enum": list(asked.words)}, {"type": "array", "items": {"type": "string"}}]},
        "text or false": {"anyOf": [{"type": "string"}, {"const": False}]},
        "integers": {"type": "array", "items": {"type": "integer"}},
        "duration": {"type": ["number", "string"], "pattern": DURATION},
        "size": {"type": ["integer", "string"]},
    }
    found = kinds[asked.kind]
    if asked.words and asked.kind == "text":
        found["enum"] = list(asked.words)
    elif asked.words and asked.kind == "texts":
        found["items"] = {"enum": list(asked.words)}
    if asked.low is not None:
        found["exclusiveMinimum" if asked.above else "minimum"] = asked.low
    if asked.high is not None:
        found["maximum"] = asked.high
    if isinstance(asked.default, str | int | float | bool):
        found["default"] = asked.default
    elif isinstance(asked.default, Path):
        found["default"] = str(asked.default)
    elif isinstance(asked.default, tuple) and asked.default:
        found["default"] = list(asked.default)
    return found


def _descriptions(template: str) -> dict[KeyPath, str]:
    """What the commented example says of each key."""
    found: dict[KeyPath, str] = {}
    table: KeyPath = ()
    for line in template.splitlines():
        if header := _HEADER.match(line):
            table = tuple(header[1].split("."))
        elif (key := _KEY.match(line)) and key[2]:
            found[*table, key[1]] = key[2]
    return found
