"""Brings the points of each metric together: one file a day in the order of names, which loads several times faster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from ridgeline.engine.archive.archive import Archive
from ridgeline.engine.archive.folder import Found, generations
from ridgeline.engine.archive.piece import SCHEMA, piece_of
from ridgeline.io.errors import InputError
from ridgeline.io.parquet.generations import Generation
from ridgeline.io.parquet.source import ParquetSource
from ridgeline.io.parquet.write import write_parquet

PAUSE: Final = (
    0.05  # seconds between a new file and the end of the old ones: file systems tell times no finer than some ms
)


@dataclass(slots=True)
class Compacted:
    """Days and points that were put in order, and sentences about those that could not be."""

    days: int
    points: int
    problems: list[str]


def compact(archive: Archive, *, more_than: int = 1, temporary: Path | None = None) -> Compacted:
    """Put each day of `more_than` files or that many in order. Raises OutputError where nothing can be written.

    A day that cannot be read whole stays as it is.
    """
    done = Compacted(0, 0, [])
    for day, found in sorted(archive.days.items()):
        if len(found.files) < more_than or (len(found.files) == 1 and "-" in found.files[0]):
            continue
        try:
            done.points += _compact(archive, day, found, temporary)
            done.days += 1
        except InputError as error:
            done.problems.append(f"{archive.folder.day(day)} stays as it is: {error}")
    return done


def _compact(archive: Archive, day: int, found: Found, temporary: Path | None) -> int:
    folder, held = archive.folder.day(day), generations(found.files)
    name = Generation(min(own.first for own in held), max(own.last for own in held)).compact
    wanted = set(found.files)
    source = ParquetSource(
        folder,
        keep=lambda files: [file for file in files if file.path.rpartition("/")[2] in wanted],
        by_name=True,
        max_memory=archive.max_memory,
        temporary=temporary,
    )
    written = write_parquet(_whole(source), folder / name, schema=SCHEMA)
    time.sleep(PAUSE)
    archive.folder.retire(day, found.files)
    found.retired += [f".{name}" for name in found.files]
    found.files = [name]
    return written


def _whole(source: ParquetSource) -> Iterator[pa.RecordBatch]:
    """All that the source holds. Raises InputError where that is not all that was written there."""
    points = 0
    for matrix in source.chunks():
        table = piece_of(matrix).table()
        points += len(table)
        yield from table.to_batches()
    if source.unreadable:
        raise InputError(source.unreadable[0][1])
    if points != source.rows:
        raise InputError(f"of its {source.rows:,} points only {points:,} are usable")
