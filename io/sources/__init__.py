"""Where metrics come from: one module per kind of source, light enough to be imported for its settings alone."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ridgeline.io.source import SourceKind

__all__ = ["load"]


def load() -> dict[str, SourceKind]:
    """Every kind of source by its name (`redis`, `parquet`, ...), found by scanning this folder."""
    declared: list[SourceKind] = [
        import_module(f"{__name__}.{module.name}").SOURCE for module in iter_modules(__path__)
    ]
    return {source.kind: source for source in sorted(declared, key=lambda source: source.kind, reverse=True)}
