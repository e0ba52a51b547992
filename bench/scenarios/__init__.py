"""Scenarios: one file each, with `SUMMARY` and `measure(axes) -> Iterator[Row]`. The list is the folder."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def every() -> dict[str, Any]:
    """Scenario modules by name (`cold_start` is called cold-start)."""
    names = sorted(found.name for found in iter_modules(__path__))
    return {name.replace("_", "-"): import_module(f"{__name__}.{name}") for name in names}
