"""Bringing together the rows of metrics that are scattered over a dataset, within a memory limit.

Metrics are dealt out to parts by their place in first-seen order. One pass over the data appends each batch's rows to
their parts; then each part is taken back, sorted by metric and handed out, which gives all metrics in first-seen order.
Parts wait in temporary files unless all of them fit into memory; small parts sort faster than one large one even then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, view
from ridgeline.io.arrow.runs import Runs, changes, runs_of, stable_order
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.capped import capped, newest_points
from ridgeline.io.parquet.catalog import NAMELESS, Catalog
from ridgeline.io.parquet.clustered import matrix_of, points_at
from ridgeline.io.parquet.naming import Naming
from ridgeline.io.parquet.reader import Reader
from ridgeline.io.parquet.shuffle_parts import FileParts, MemoryParts, Parts

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
KEPT: Final = 40  # bytes per point that waits in memory: number of the metric, timestamp, value, allocator's slack
SORTED: Final = 128  # bytes per point of a part while it is sorted: as read, in order, positions, masks
READING: Final = 128 << 20  # bytes for reading: two batches and what Arrow keeps
LARGEST_PART: Final = 2 << 20  # points; larger parts no longer fit into caches and sort at half the speed
MOST_PARTS: Final = 256  # open files
CODE: Final = "code"


def shuffled(
    reader: Reader,
    naming: Naming,
    catalog: Catalog,
    seen: Bools,
    *,
    limit: int,
    max_memory: int,
    temporary: Path | None,
) -> Iterator[MetricMatrix]:
    """Matrices of complete metrics, one per part, in first-seen order, at most `limit` points of each.

    `seen` bool[m] is set where a metric was handed out: all, unless rows could not be read.
    """
    names, counts = catalog.names, catalog.counts
    points = max(reader.points / max(reader.rows, 1), 1e-9)
    room = max(max_memory - READING, max_memory // 4) / points  # as if a row were a point
    part_of = _dealt(counts, min(room / SORTED, LARGEST_PART / points))
    firsts = np.append(changes(part_of), len(names))
    largest = int(np.bincount(part_of, counts).max()) if len(names) else 0
    repairs: Counter[str] = Counter()
    with ExitStack() as stack:
        parts: Parts = MemoryParts(len(firsts) - 1)
        if int(counts.sum()) * KEPT + largest * SORTED > room:
            parts = FileParts(stack, len(firsts) - 1, temporary)
        for codes, table in _numbered(reader, naming, catalog):
            if (codes == NAMELESS).any():
                repairs["null"] += points_at(table, codes == NAMELESS)
            with reader.decoding():
                _deal(table, codes, part_of, parts)
        for part in range(len(firsts) - 1):
            first, last = int(firsts[part]), int(firsts[part + 1])
            with reader.decoding():
                table, dropped = _gathered(parts.take(part), limit if counts[first:last].max() > limit else None)
                if table is None:
                    continue  # not one of its rows could be read
                codes, matrix = _sorted(table, names.slice(first, last - first), first, reader)
                matrix = capped(matrix, limit, dropped)
            seen[codes] = True
            yield replace(matrix, repairs=Counter(matrix.repairs) + repairs)
            repairs.clear()
    if repairs:
        yield replace(MetricMatrix.empty(), repairs=dict(repairs))


def _deal(table: pa.Table, codes: Ints, part_of: Ints, parts: Parts) -> None:
    """Append rows to the parts of their metrics; rows of negative codes are left out."""
    rows = np.flatnonzero(codes >= 0)
    owners = part_of[codes[rows]]
    order = stable_order(owners)
    table = table.append_column(CODE, arrow(codes.astype(np.int32))).take(arrow(rows[order]))
    bounds = np.append(0, np.cumsum(np.bincount(owners)))
    for part in np.flatnonzero(np.diff(bounds)).tolist():
        parts.append(part, table.slice(bounds[part], bounds[part + 1] - bounds[part]))


def _numbered(reader: Reader, naming: Naming, catalog: Catalog) -> Iterator[tuple[Ints, pa.Table]]:
    """(metric of each row; columns but metric) of each batch."""
    if catalog.codes is not None:
        for start, table in reader.read(catalog.wanted_between):
            yield catalog.codes_between(start, start + len(table)), table
        return
    for _, table in reader.read(naming=naming):
        runs = runs_of(table.column("metric").chunks)
        yield np.repeat(catalog.codes_of(runs), np.diff(runs.starts)), table.drop_columns("metric")


def _gathered(tables: Iterator[pa.Table], limit: int | None) -> tuple[pa.Table | None, int]:
    """The rows of a part as one table, and how many were dropped on the way: from time to time, those over the limit."""
    waiting: list[pa.Table] = []
    rows = settled = dropped = 0
    for table in tables:
        waiting.append(table)
        rows += len(table)
        if limit is not None and rows - settled > max(limit, LARGEST_PART):
            waiting = [_newest(pa.concat_tables(waiting), limit)]
            settled = len(waiting[0])
            dropped += rows - settled
            rows = settled
    return (pa.concat_tables(waiting) if waiting else None), dropped


def _newest(table: pa.Table, limit: int) -> pa.Table:
    """The rows, of each metric no more than the newest `limit`."""
    if hasattr(table.column("timestamp").type, "value_type"):
        return table
    codes = view(table.column(CODE).combine_chunks())
    keep = np.ones(len(codes), np.bool_)
    for code in np.flatnonzero(np.bincount(codes) > limit):
        rows = np.flatnonzero(codes == code)
        keep[rows] = False
        keep[rows[newest_points(table.take(arrow(rows)), limit)]] = True
    return table.filter(arrow(keep)).combine_chunks()


def _sorted(table: pa.Table, names: pa.StringArray, first: int, reader: Reader) -> tuple[Ints, MetricMatrix]:
    """The matrix of one part, whose metrics are numbered from `first`, and the numbers of those that it has."""
    codes = view(table.column(CODE).combine_chunks()) - np.int32(first)
    starts = np.append(changes(codes), len(codes))
    codes = codes[starts[:-1]].astype(np.int64)
    present: Ints = np.arange(len(names))
    if reader.lost:  # some metrics may have had not one row that could be read
        present = np.flatnonzero(np.bincount(codes, minlength=len(names)))
        names, codes = names.take(arrow(present)), np.searchsorted(present, codes)
    table = table.drop_columns(CODE).combine_chunks()
    return present + first, matrix_of(table, Runs(names, codes, starts), reader.common.layout)


def _dealt(counts: Ints, rows_per_part: float) -> Ints:
    """The part of each metric: 0, 1, 2, ... in the order of metrics, each of about `rows_per_part` rows."""
    total = int(counts.sum())
    rows_per_part = max(rows_per_part, total / MOST_PARTS, 1)
    coarse = np.floor((np.cumsum(counts) - counts) / rows_per_part)
    steps: Ints = np.cumsum(np.diff(coarse, prepend=0) != 0)
    return steps
