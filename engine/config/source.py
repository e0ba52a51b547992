"""Reads `[source]`: where the metrics come from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ridgeline.engine.config.fields import is_given, keys_of, read_fields
from ridgeline.engine.config.model import Source
from ridgeline.engine.config.reader import Table
from ridgeline.io.source import SourceKind, SourceSettings
from ridgeline.io.sources import load


def read_source(top: Table, environ: Mapping[str, str]) -> Source:
    """Read and check `[source]`.

    The keys of every kind are read, so that another kind is one line away, and commands that read files find theirs.
    """
    kinds, table, usual = load(), top.table("source"), Source()
    if "source" not in top:
        known = " or ".join(f'"{kind}"' for kind in kinds)
        top.refuse("source", f"is missing: a [source] table says where the metrics come from (kind = {known})")
    kind = table.choice("kind", kinds, usual.kind, "kind of source")
    values = read_fields(table, *(declared.settings for declared in kinds.values()), environ=environ)
    if isinstance(top.values.get("source"), dict):
        for field in keys_of(kinds[kind].settings):
            if field.metadata.get("needed") and not is_given(table, field.name):
                table.refuse(field.name, f'is missing: kind = "{kind}" needs it')
    table.finish()
    return Source(kind, {name: _made(declared, values) for name, declared in kinds.items()})


def _made(declared: SourceKind, values: Mapping[str, Any]) -> SourceSettings:
    """The settings of one kind of source, of the values that are its own."""
    own = {field.name for field in keys_of(declared.settings)}
    settings: SourceSettings = declared.settings(**{key: value for key, value in values.items() if key in own})
    return settings
