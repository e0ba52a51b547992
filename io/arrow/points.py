"""Arrow tables in: their points as plain arrays, in runs, and each metric's runs brought together.

Long layout: a row is a point. List layout: a row is a metric, timestamp and value are lists. `points_of` reads either
into runs of points, `rows_of` makes one row per metric of them, in first-seen order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io import clean
from ridgeline.io.arrow.columns import as_of_values, either, floats_of, list_lengths, one_array, ticks_of
from ridgeline.io.arrow.labels import named_runs
from ridgeline.io.arrow.layout import Layout, layout_of
from ridgeline.io.arrow.runs import Runs, points_in, runs_of, stable_order
from ridgeline.io.arrow.tables import table_of
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF
from ridgeline.io.reasons import AS_OF_CONFLICT, MALFORMED, USABLE

Ints = NDArray[np.int64]
HIGHEST: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True)
class Points:
    """Runs of points: `series` holds the runs as its rows; `as_of` int64 and `reasons` uint8 are per run, or None."""

    runs: Runs
    series: clean.Series
    as_of: Ints | None = None
    reasons: NDArray[np.uint8] | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """One row per metric, not yet cleaned: the arguments of `MetricMatrix.from_series`."""

    metrics: pa.StringArray
    series: clean.Series
    as_of: Ints | None
    reasons: NDArray[np.uint8] | None
    repairs: Counter[str] = field(default_factory=Counter)


def points_of(source: Any, labels_from: Sequence[str] | None = None, where: str = "the table") -> Points:
    """The points of a table, or of anything that exports Arrow, in its own order."""
    table = table_of(source)
    layout = layout_of(table.schema, where)
    try:
        starts = np.arange(len(table) + 1) if layout.lists else None
        runs = named_runs(table, runs_of(table.column("metric").chunks, starts), labels_from, where)
        return (list_points if layout.lists else long_points)(table, runs, layout)
    except pa.ArrowException as error:
        said = str(error).splitlines()[0]
        raise InputError(
            f"{where} cannot be read, its columns are damaged or of types without arithmetic: {said}"
        ) from error


def long_points(table: pa.Table | pa.RecordBatch, runs: Runs, layout: Layout) -> Points:
    """One point per row, runs given; the table need not have the metric column."""
    timestamps, no_time = ticks_of(table.column("timestamp"))
    values, no_value = floats_of(table.column("value"))
    as_of, reasons = _as_of_by_run(table.column("as_of"), runs.starts) if layout.as_of else (None, None)
    series = clean.Series(runs.starts, timestamps, values, either(no_time, no_value), layout.seconds)
    return Points(runs, series, as_of, reasons)


def list_points(table: pa.Table | pa.RecordBatch, by_row: Runs, layout: Layout) -> Points:
    """Lists in rows, one run per row given; lists of different lengths make the row malformed, null ones are empty."""
    stamps, numbers = one_array(table.column("timestamp")), one_array(table.column("value"))
    stamps.validate(full=True)  # offsets from elsewhere must not point outside
    numbers.validate(full=True)
    lengths, others = list_lengths(stamps), list_lengths(numbers)
    timestamps, no_time = ticks_of(stamps.flatten())
    values, no_value = floats_of(numbers.flatten())
    reasons = None
    if not np.array_equal(lengths, others):
        same = lengths == others
        reasons = np.where(same, USABLE, MALFORMED).astype(np.uint8)
        kept, other_kept = np.repeat(same, lengths), np.repeat(same, others)
        timestamps, values = timestamps[kept], values[other_kept]
        no_time = None if no_time is None else no_time[kept]
        no_value = None if no_value is None else no_value[other_kept]
        lengths = np.where(same, lengths, 0)
    starts = np.append(0, np.cumsum(lengths))
    series = clean.Series(starts, timestamps, values, either(no_time, no_value), layout.seconds)
    as_of = as_of_values(table.column("as_of")) if layout.as_of else None
    return Points(Runs(by_row.names, by_row.codes, starts), series, as_of, reasons)


def rows_of(points: Points) -> Rows:
    """Each metric's points together, metrics in first-seen order; points without a metric name dropped and counted."""
    runs, series = points.runs, points.series
    if runs.clustered:
        return Rows(runs.names, series, points.as_of, points.reasons)
    lengths, count = np.diff(runs.starts), len(runs.names)
    if len(runs.codes) and runs.codes.min() >= 0:
        order = stable_order(runs.codes)
        sizes = np.bincount(runs.codes, lengths, count)
    else:
        named = np.flatnonzero(runs.codes >= 0)
        order = named[stable_order(runs.codes[named])]
        sizes = np.bincount(runs.codes[named], lengths[named], count)
    offsets = np.append(0, np.cumsum(sizes.astype(np.int64)))
    at = order + runs.starts[0] if (lengths == 1).all() else points_in(runs.starts[order], lengths[order])
    as_of, reasons = _as_of_by_row(points, order)
    nulls = None if series.nulls is None else series.nulls[at]
    gathered = clean.Series(offsets, series.timestamps[at], series.values[at], nulls, series.seconds)
    nameless = int(lengths[runs.codes < 0].sum())
    return Rows(runs.names, gathered, as_of, reasons, Counter({"null": nameless} if nameless else {}))


def _as_of_by_row(points: Points, order: Ints) -> tuple[Ints | None, NDArray[np.uint8] | None]:
    """as_of and reason of each metric from those of its runs, taken in `order` of metrics."""
    if points.as_of is None and points.reasons is None:
        return None, None
    first = np.searchsorted(points.runs.codes[order], np.arange(len(points.runs.names)))
    reasons = None if points.reasons is None else points.reasons[order]
    if points.as_of is not None:
        low, high = _bounds(points.as_of[order], first)
        merged = np.where(low < high, AS_OF_CONFLICT, USABLE).astype(np.uint8)
        if reasons is not None and len(first):
            merged = np.maximum(merged, np.maximum.reduceat(reasons, first))
        return np.where(merged == AS_OF_CONFLICT, NO_AS_OF, high), merged
    if reasons is not None and len(first):
        reasons = np.maximum.reduceat(reasons, first)
    return None, reasons


def _as_of_by_run(column: pa.ChunkedArray, starts: Ints) -> tuple[Ints, NDArray[np.uint8] | None]:
    """as_of of each run of points, and AS_OF_CONFLICT where a run has two."""
    as_of = as_of_values(column)
    begins = starts[:-1]
    changes = np.flatnonzero(as_of[1:] != as_of[:-1]) + 1
    if np.isin(changes, begins, assume_unique=True).all():
        return as_of[begins], None
    low, high = _bounds(as_of, begins)
    return np.where(low < high, NO_AS_OF, high), np.where(low < high, AS_OF_CONFLICT, USABLE).astype(np.uint8)


def _bounds(as_of: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """Lowest and highest given as_of of each stretch; both NO_AS_OF-like (low above high) where none is given."""
    if not len(starts):
        return starts, starts
    low = np.minimum.reduceat(np.where(as_of == NO_AS_OF, HIGHEST, as_of), starts)
    return low, np.maximum.reduceat(as_of, starts)
