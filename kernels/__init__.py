"""Computes: blocks of rows in, numbers out."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ridgeline.kernels._algorithm import Algorithm


@cache
def load() -> dict[str, Algorithm]:
    """The algorithms by name, in the order of verdict columns: derived from the folder's modules."""
    names = [m.name for m in iter_modules(__path__) if not m.ispkg and not m.name.startswith("_")]
    found: list[Algorithm] = [getattr(import_module(f"{__name__}.{name}"), name) for name in names]
    return {a.name: a for a in sorted(found, key=lambda a: (a.order, a.name))}
