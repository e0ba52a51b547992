"""Bringing together the rows of metrics that are scattered over a dataset, within a memory limit.

Metrics are dealt out to parts by their place in first-seen order. One pass over the data appends each batch's rows to
their parts; then each part is taken back, sorted by metric and handed out, which gives all metrics in first-seen order.
Parts wait in temporary files unless all of them fit into memory; small parts sort faster than one large one even then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, view
from ridgeline.io.arrow.runs import Runs, changes, runs_of, stable_order
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.catalog import Catalog
from ridgeline.io.parquet.reader import Reader, matrix_of
from ridgeline.io.parquet.shuffle_parts import FileParts, MemoryParts, Parts

Ints = NDArray[np.int64]
KEPT: Final = 40  # bytes per point that waits in memory: number of the metric, timestamp, value, allocator's slack
SORTED: Final = 128  # bytes per point of a part while it is sorted: as read, in order, positions, masks
READING: Final = 128 << 20  # bytes for reading: two batches and what Arrow keeps
LARGEST_PART: Final = 2 << 20  # points; larger parts no longer fit into caches and sort at half the speed
MOST_PARTS: Final = 256  # open files
CODE: Final = "code"


def shuffled(
    reader: Reader, catalog: Catalog, wanted: NDArray[np.bool_] | None, max_memory: int, temporary: Path | None
) -> Iterator[MetricMatrix]:
    """Matrices of complete metrics, one per part, in first-seen order."""
    keep = np.ones(len(catalog.names), np.bool_) if wanted is None else wanted
    names, counts = catalog.names.filter(arrow(keep)), catalog.counts[keep]
    number = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1)  # its last place serves rows without a name
    points = max(reader.points_per_row, 1e-9)
    room = max(max_memory - READING, max_memory // 4) / points  # as if a row were a point
    part_of = _dealt(counts, min(room / SORTED, LARGEST_PART / points))
    firsts = np.append(changes(part_of), len(names))
    largest = int(np.bincount(part_of, counts).max()) if len(names) else 0
    repairs: Counter[str] = Counter()
    with ExitStack() as stack:
        parts: Parts = MemoryParts(len(firsts) - 1)
        if int(counts.sum()) * KEPT + largest * SORTED > room:
            parts = FileParts(stack, len(firsts) - 1, temporary)
        for codes, table in _numbered(reader, catalog):
            if wanted is None and (codes < 0).any():
                repairs["null"] += _points(table, codes < 0)
            with _timed(reader):
                _deal(table, number[codes], part_of, parts)
        for part in range(len(firsts) - 1):
            first, last = int(firsts[part]), int(firsts[part + 1])
            with _timed(reader):
                matrix = _sorted(parts.take(part), names.slice(first, last - first), first, reader)
            yield replace(matrix, repairs=Counter(matrix.repairs) + repairs)
            repairs.clear()
    if repairs:
        yield replace(MetricMatrix.empty(), repairs=dict(repairs))


@contextmanager
def _timed(reader: Reader) -> Iterator[None]:
    """Count the time of the block as decoding."""
    started = perf_counter()
    yield
    reader.seconds["decode"] += perf_counter() - started


def _deal(table: pa.Table, codes: Ints, part_of: Ints, parts: Parts) -> None:
    """Append rows to the parts of their metrics; rows of code -1 are left out."""
    rows = np.flatnonzero(codes >= 0)
    owners = part_of[codes[rows]]
    order = stable_order(owners)
    table = table.append_column(CODE, arrow(codes.astype(np.int32))).take(arrow(rows[order]))
    bounds = np.append(0, np.cumsum(np.bincount(owners)))
    for part in np.flatnonzero(np.diff(bounds)).tolist():
        parts.append(part, table.slice(bounds[part], bounds[part + 1] - bounds[part]))


def _numbered(reader: Reader, catalog: Catalog) -> Iterator[tuple[Ints, pa.Table]]:
    """(metric number of each row, -1 without a name; columns but metric) of each batch."""
    remembered = catalog.codes is not None
    for start, table in reader.read(names=not remembered):
        if remembered:
            yield catalog.codes_between(start, start + len(table)), table
        else:
            runs = runs_of(table.column("metric").chunks)
            yield np.repeat(catalog.numbers.codes(runs), np.diff(runs.starts)), table.drop_columns("metric")


def _sorted(table: pa.Table, names: pa.StringArray, first: int, reader: Reader) -> MetricMatrix:
    """The matrix of one part; its metrics are those numbered from `first`."""
    codes = view(table.column(CODE).combine_chunks()) - np.int32(first)
    starts = np.append(changes(codes), len(codes))
    runs = Runs(names, codes[starts[:-1]].astype(np.int64), starts)
    del codes
    table = table.drop_columns(CODE).combine_chunks()
    return matrix_of(table, runs, reader.layout)


def _dealt(counts: Ints, rows_per_part: float) -> Ints:
    """The part of each metric: 0, 1, 2, ... in the order of metrics, each of about `rows_per_part` rows."""
    total = int(counts.sum())
    rows_per_part = max(rows_per_part, total / MOST_PARTS, 1)
    coarse = np.floor((np.cumsum(counts) - counts) / rows_per_part)
    steps: Ints = np.cumsum(np.diff(coarse, prepend=0) != 0)
    return steps


def _points(table: pa.Table, rows: NDArray[np.bool_]) -> int:
    """Points in some rows of a table, of either layout."""
    stamps = table.column("timestamp")
    if not hasattr(stamps.type, "value_type"):
        return int(np.count_nonzero(rows))
    import pyarrow.compute as pc

    return int(pc.sum(pc.list_value_length(stamps.filter(arrow(rows)))).as_py() or 0)
