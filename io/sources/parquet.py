"""Metrics from files: a file, a folder, a glob or an address."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ridgeline.io.source import Reading, Source, SourceKind
from ridgeline.io.tables.shape import PLAIN, Shape
from ridgeline.io.text import redact


@dataclass(frozen=True, slots=True)
class ParquetSettings:
    """`path` to read; of longer series than `max_points`, the newest are used; `chunk_metrics` at once.

    `labels_from`: columns or key=value folders that become part of the name; None: series of one name are not merged.
    `shape`: what else there is to say of the columns; it is no key.
    """

    path: str = field(default="", metadata={"needed": True})
    max_points: int = field(default=1_000_000, metadata={"low": 1})
    labels_from: tuple[str, ...] | None = field(default=None, metadata={"empty": True})
    chunk_metrics: int = field(default=1024, metadata={"low": 1, "high": 10_000_000})
    shape: Shape = field(default=PLAIN, metadata={"key": False})

    def identity(self) -> str:
        """`parquet` and the path, as it is on this machine."""
        return f"parquet {redact(self.path) if '://' in self.path else Path(self.path).resolve()}"


def _open(settings: ParquetSettings, reading: Reading) -> Source:
    from ridgeline.io.tables.dataset import open_dataset

    return open_dataset(
        settings.path,
        settings.shape.labelled(settings.labels_from),
        select=reading.chosen,
        max_memory=reading.max_memory,
        max_points=settings.max_points,
        chunk_metrics=settings.chunk_metrics,
        deadline=reading.left,
    )


SOURCE = SourceKind(
    "parquet", "a file, a folder, a glob or an address of Parquet, Arrow, CSV or JSON", ParquetSettings, _open
)
