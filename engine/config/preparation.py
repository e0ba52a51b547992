"""Reads `[preparation]`, and the mapping that stands for it in the Python API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ridgeline.engine.config.problems import ConfigError, Problems
from ridgeline.engine.config.reader import Table
from ridgeline.engine.prepare.plan import AUTO, OFF, Preparation


def read_preparation(top: Table) -> Preparation:
    """Read `[preparation]`: what is done to series before they are judged."""
    table = top.table("preparation")
    preparation = Preparation(
        counters=table.choice_or_patterns("counters", (OFF, AUTO), OFF),
        non_derivative=table.patterns("non_derivative"),
        zero_fill=table.patterns("zero_fill"),
        last_known_value=table.patterns("last_known_value"),
    )
    table.finish()
    return preparation


def preparation_of(keys: Mapping[str, Any]) -> Preparation:
    """The preparation that a mapping with the keys of `[preparation]` asks for; an empty list asks for nothing.

    Raises ConfigError with all problems.
    """
    problems = Problems()
    lists = {key: list(value) if isinstance(value, tuple) else value for key, value in keys.items()}
    plain = {key: value for key, value in lists.items() if value != []}
    preparation = read_preparation(Table({"preparation": plain}, (), problems))
    if problems.found:
        raise ConfigError("", problems.found)
    return preparation
