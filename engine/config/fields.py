"""Reads settings by the fields of their dataclass: a field's name is the key, its type and its metadata say how."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ridgeline.engine.config.asked import Asked
from ridgeline.engine.config.reader import Table
from ridgeline.io.secret import Secret


def read_fields(table: Table, *settings: type[Any], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Read the keys that are there and right, by the names of the fields; the others are left to their defaults.

    A key that several of the settings have is read once. `ridgeline.io.source.SourceSettings` lists what a field's
    metadata may say.
    """
    read: dict[str, Any] = {}
    for each in settings:
        hints = typing.get_type_hints(each)
        for field in keys_of(each):
            if field.name not in read:
                read[field.name] = _read(table, field, hints[field.name], environ)
                table.usually(field.name, _default(field))
    return {key: value for key, value in read.items() if value is not None}


def keys_of(settings: type[Any]) -> list[dataclasses.Field[Any]]:
    """The fields that are keys of a configuration."""
    return [field for field in dataclasses.fields(settings) if field.metadata.get("key", True)]


def is_given(table: Table, key: str) -> bool:
    """Whether the table holds a key, or what it may be looked up by."""
    return not {key, f"{key}_env", f"{key}_file"}.isdisjoint(table.values)


def _default(field: dataclasses.Field[Any]) -> Any:
    return None if field.default is dataclasses.MISSING else field.default


def _read(table: Table, field: dataclasses.Field[Any], hint: Any, environ: Mapping[str, str]) -> Any:
    """Read one key as its field asks; None where it is absent or wrong."""
    key, rules = field.name, field.metadata
    kinds = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
    if Secret in kinds:
        return table.secret(key, plain=str in kinds, environ=environ)
    shapes = {typing.get_origin(kind): typing.get_args(kind) for kind in kinds}
    empty = rules.get("empty", False)
    if tuple in shapes:
        return table.strings(key, None, empty=empty)
    if Mapping in shapes:
        return _read_mapping(table, key, shapes[Mapping][1])
    readers: tuple[tuple[type, Callable[[], Any]], ...] = (
        (Path, lambda: table.file(key, None)),
        (bool, lambda: table.boolean(key, None)),
        (float, lambda: _read_seconds(table, key, positive=rules.get("positive", False))),
        (int, lambda: table.integer(key, None, **{end: rules[end] for end in ("low", "high") if end in rules})),
    )
    read = next((read for kind, read in readers if kind in kinds), None)
    return _read_text(table, key, empty=empty, fault=rules.get("fault")) if read is None else read()


def _read_text(table: Table, key: str, *, empty: bool, fault: Callable[[str], str | None] | None) -> str | None:
    text = table.string(key, None, empty=empty)
    wrong = None if text is None or fault is None else fault(text)
    if wrong is None:
        return text
    table.refuse(key, wrong)
    return None


def _read_seconds(table: Table, key: str, *, positive: bool) -> float | None:
    """Read a number, or a duration in words: what is counted in fractions is time."""
    table.note(key, Asked("duration", low=0, above=positive))
    if isinstance(table.values.get(key), str):
        return table.duration(key, None)
    return table.number(key, None, above=positive)


def _read_mapping(table: Table, key: str, hint: Any) -> dict[str, Any] | None:
    """Read a table of texts, or of lists of texts, whose keys are free (patterns, labels)."""
    if key not in table:
        table.known.append(key)
        table.note(key, Asked("table"))
        return None
    inner = table.table(key)
    many = typing.get_origin(hint) is tuple
    found = {name: inner.strings(name, None) if many else inner.string(name, None) for name in inner.values}
    return None if None in found.values() else found
