"""Reads `[[alert]]` and `[alerters.NAME]`: who is told of which metrics, and by which channels."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ridgeline.alerters import Channel, Secret, load
from ridgeline.engine.alerts.rule import EXPIRATION, AlertRow
from ridgeline.engine.config.model import Alerters
from ridgeline.engine.config.problems import suggestion
from ridgeline.engine.config.reader import Table

Rows = Sequence[tuple[int, AlertRow]]


def read_alerts(top: Table) -> list[tuple[int, AlertRow]]:
    """Read every `[[alert]]` as (place among them, row); rows with problems are left out."""
    rows = []
    for at, table in enumerate(top.tables("alert")):
        match, strategy = table.pattern("match"), table.string("strategy", None)
        expiration = table.duration("expiration", EXPIRATION)
        for key, value in (("match", match), ("strategy", strategy)):
            if value is None and key not in table:
                table.refuse(key, "is missing")
        names = tuple(dict.fromkeys(part.strip() for part in (strategy or "").split("|")))
        if strategy is not None and not all(names):
            table.refuse("strategy", 'must name strategies, several of them separated by "|"')
        elif match is not None and strategy is not None:
            rows.append((at, AlertRow(match, names, expiration)))
        table.finish()
    return rows


def read_alerters(top: Table, rows: Rows, environ: Mapping[str, str] = os.environ) -> Alerters:
    """Read `[alerters.NAME]`, and check that each strategy of `rows` is known and configured."""
    tables = top.table("alerters")
    used = {name for _, row in rows for name in row.strategies}
    if not used and not tables.values:
        return Alerters()
    channels = load()
    configured: dict[str, tuple[str, str, Any]] = {}
    for name in tables.values:
        table = tables.table(name)
        kind = table.choice("kind", channels, None, "alerter") if "kind" in table else name
        if kind in channels:
            configured[name] = (name, str(kind), _read_settings(table, channels[str(kind)], environ))
        elif kind is not None:
            tables.refuse(name, f"there is no such alerter; {suggestion(name, channels)}")
    for at, row in rows:
        for name in row.strategies:
            if name in tables or name in configured:
                continue
            problem = _missing_table(name, channels, tables)
            if problem:
                top.problems.add(("alert", at, "strategy"), problem)
            else:
                configured[name] = (name, name, channels[name].settings())
    return Alerters(tuple(entry for entry in configured.values() if entry[2] is not None))


def _missing_table(name: str, channels: Mapping[str, Channel], tables: Table) -> str | None:
    """Say why a strategy without a table of its own cannot be used, or None if it can."""
    if name not in channels:
        return f'there is no strategy "{name}"; {suggestion(name, [*channels, *tables.values])}'
    needed = [field.name for field in dataclasses.fields(channels[name].settings) if _is_needed(field)]
    return f'"{name}" needs a table [alerters.{name}] with {", ".join(needed)}' if needed else None


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _read_settings(table: Table, channel: Channel, environ: Mapping[str, str]) -> Any:
    """Read a channel's settings by the fields of its settings class; None where there are problems."""
    before = len(table.problems.found)
    hints = typing.get_type_hints(channel.settings)
    values = {}
    for field in dataclasses.fields(channel.settings):
        value = _read_field(table, field.name, hints[field.name], environ)
        if value is not None:
            values[field.name] = value
        elif _is_needed(field) and not {field.name, f"{field.name}_env", f"{field.name}_file"} & table.values.keys():
            table.refuse(field.name, f"is missing: the {channel.kind} alerter needs it")
    table.finish()
    if len(table.problems.found) > before:
        return None
    try:
        return channel.settings(**values)
    except ValueError as error:
        # The settings' own sentences begin with the field they are about.
        field_name, _, sentence = str(error).partition(" ")
        if field_name in table:
            table.refuse(field_name, sentence)
        else:
            table.problems.add(table.path, str(error))
        return None


def _read_field(table: Table, key: str, hint: Any, environ: Mapping[str, str]) -> Any:
    """Read one key as its field's type asks; None where it is absent or wrong."""
    kinds = set(typing.get_args(hint)) if isinstance(hint, types.UnionType) else {hint}
    if Secret in kinds:
        return table.secret(key, plain=str in kinds, environ=environ)
    if tuple in {typing.get_origin(kind) for kind in kinds}:
        return table.strings(key, None)
    readers: tuple[tuple[type, Callable[[str, None], Any]], ...] = (
        (Path, table.file),
        (bool, table.boolean),
        (float, table.number),
        (int, table.integer),
    )
    read = next((read for kind, read in readers if kind in kinds), table.string)
    return read(key, None)
