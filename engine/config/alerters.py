"""Reads `[alerters.NAME]`: the channels by which people are told, each with its own settings."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ridgeline.engine.config.fields import is_given, read_fields
from ridgeline.engine.config.lines import KeyPath
from ridgeline.engine.config.model import Alerters
from ridgeline.engine.config.problems import suggestion
from ridgeline.engine.config.reader import Table

if TYPE_CHECKING:  # a configuration without channels needs none of what they need
    from ridgeline.alerters import Channel
    from ridgeline.engine.alerts.strategy import Configured

Used = Sequence[tuple[KeyPath, str]]  # where a strategy is named, and its name


def read_alerters(top: Table, used: Used, environ: Mapping[str, str] = os.environ) -> Alerters:
    """Read `[alerters.NAME]`, and check that each strategy in `used` is known, configured and can be used."""
    tables = top.table("alerters")
    if not used and not tables.values:
        return Alerters()
    from ridgeline.alerters import load

    channels = load()
    configured: dict[str, Configured | None] = {}
    for name in tables.values:
        table = tables.table(name)
        channel = _channel(table, name, channels)
        settings = None if channel is None else _read_settings(table, channel, environ)
        configured[name] = None if channel is None or settings is None else (name, channel, settings)
    for path, name in used:
        if name not in configured:
            configured[name] = _without_table(top, path, name, channels, configured)
    return Alerters(tuple(entry for entry in configured.values() if entry is not None))


def _channel(table: Table, name: str, channels: Mapping[str, Channel]) -> Channel | None:
    """The channel that a table of `[alerters]` asks for; None where there is a problem with it."""
    from ridgeline.engine.alerts.strategy import find_channel, kind_of

    module, kind = table.string("module", None), table.string("kind", None)
    try:
        channel = find_channel(kind or kind_of(name), channels, module)
    except ValueError as error:
        table.refuse("module", str(error)) if module else table.problems.add(table.path, f"{kind or name}: {error}")
        return None
    if channel is None:
        wrong = kind or name
        text = f'there is no alerter "{wrong}"; {suggestion(wrong, channels)}'
        table.refuse("kind", text) if kind else table.problems.add(table.path, text)
    elif channel.lacking:
        table.problems.add(table.path, channel.lacking)
        return None
    return channel


def _without_table(
    top: Table, path: KeyPath, name: str, channels: Mapping[str, Channel], configured: Mapping[str, Configured | None]
) -> Configured | None:
    """A strategy that has no table of its own: its kind's table, or the channel's defaults; None with the problem."""
    from ridgeline.engine.alerts.strategy import find_channel, kind_of, without_table

    kind = kind_of(name)
    if kind in configured:
        shared = configured[kind]
        return None if shared is None else (name, shared[1], shared[2])
    try:
        channel = find_channel(kind, channels)
    except ValueError as error:
        top.problems.add(path, f"{name}: {error}")
        return None
    if channel is None:
        top.problems.add(path, f'there is no strategy "{name}"; {suggestion(name, {**channels, **configured})}')
        return None
    try:
        return without_table(name, channel)
    except ValueError as error:
        top.problems.add(path, str(error))
        return None


def _read_settings(table: Table, channel: Channel, environ: Mapping[str, str]) -> Any:
    """Read a channel's settings by the fields of its settings class; None where there are problems."""
    before = len(table.problems.found)
    values = read_fields(table, channel.settings, environ=environ)
    if isinstance(values.get("recipients"), Mapping):
        table.check_patterns("recipients")
    for name in channel.needed:
        if name not in values and not is_given(table, name):
            table.refuse(name, f"is missing: the {channel.kind} alerter needs it")
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
