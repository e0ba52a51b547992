"""Arrow tables in: which columns they must have, and their points as plain arrays, copied only where types ask for it.

Long layout: a row is a point. List layout: a row is a metric, timestamp and value are lists. `points_of` reads either
into runs of points, `rows_of` brings each metric's runs together, in first-seen order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io import clean
from ridgeline.io.arrow_numpy import DTYPES, nulls, view
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import NO_AS_OF
from ridgeline.io.reasons import AS_OF_CONFLICT, MALFORMED, USABLE
from ridgeline.io.runs import Runs, points_in, runs_of, stable_order

Ints = NDArray[np.int64]
HIGHEST: Final = int(np.iinfo(np.int64).max)
PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
NEEDED: Final = ("metric", "timestamp", "value")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a schema holds: `lists` (one metric per row), `seconds` (timestamps carry their unit), `as_of` (column)."""

    lists: bool
    seconds: bool
    as_of: bool

    @property
    def columns(self) -> list[str]:
        """The columns to read; any others are left alone."""
        return [*NEEDED, "as_of"] if self.as_of else list(NEEDED)


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


def table_of(source: Any) -> pa.Table:
    """Any Arrow-speaking object as a pyarrow Table, without copying columns where its library allows."""
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    for method in ("to_arrow", "__arrow_c_stream__", "__arrow_c_array__"):
        if hasattr(source, method):
            return source.to_arrow() if method == "to_arrow" else pa.table(source)
    kind = f"{type(source).__module__}.{type(source).__qualname__}"
    raise InputError(f"cannot read {kind} as a table; give a pyarrow Table or RecordBatch, or a polars DataFrame")


def layout_of(schema: pa.Schema, where: str = "the table") -> Layout:
    """The layout of a schema, or InputError saying what is wrong, where, and what was expected."""
    missing = [name for name in NEEDED if name not in schema.names]
    if missing:
        found = ", ".join(schema.names) or "no columns"
        raise InputError(
            f"{where}: no column {' or '.join(missing)} (found: {found}); needed are metric, timestamp, value"
        )
    for name in schema.names:
        if name in (*NEEDED, "as_of") and schema.names.count(name) > 1:
            raise InputError(f"{where}: column {name} is there {schema.names.count(name)} times; keep one")
    types = {name: schema.field(name).type for name in schema.names if name in (*NEEDED, "as_of")}
    if not _is_text(types["metric"]):
        raise InputError(f"{where}: column metric is {types['metric']}; it must be string")
    lists = [_is_list(types[name]) for name in ("timestamp", "value")]
    if lists[0] != lists[1]:
        raise InputError(
            f"{where}: timestamp is {types['timestamp']} and value is {types['value']}; either both are lists "
            "(one metric per row) or neither (one point per row)"
        )
    stamp, value = (types[name].value_type if lists[0] else types[name] for name in ("timestamp", "value"))
    for name, kind in (("timestamp", stamp), ("as_of", types.get("as_of", pa.int64()))):
        if not _is_time(kind):
            raise InputError(
                f"{where}: column {name} holds {kind}; it must be epoch seconds (or ms, us) as a number, or timestamp"
            )
    if not _is_number(value):
        raise InputError(f"{where}: column value holds {value}; it must be a number")
    return Layout(lists[0], pa.types.is_timestamp(stamp), "as_of" in types)


def points_of(source: Any, where: str = "the table") -> Points:
    """The points of a table, or of anything that exports Arrow, in its own order."""
    table = table_of(source)
    layout = layout_of(table.schema, where)
    try:
        return (_list_points if layout.lists else _long_points)(table, layout)
    except pa.ArrowInvalid as error:
        raise InputError(f"{where} cannot be read, its columns are damaged: {error}") from error


def _long_points(table: pa.Table, layout: Layout) -> Points:
    """One point per row."""
    return long_points(table, runs_of(table.column("metric").chunks), layout)


def long_points(table: pa.Table | pa.RecordBatch, runs: Runs, layout: Layout) -> Points:
    """One point per row, runs given; the table need not have the metric column."""
    timestamps, no_time = ticks_of(table.column("timestamp"))
    values, no_value = floats_of(table.column("value"))
    as_of, reasons = _as_of_by_run(table.column("as_of"), runs.starts) if layout.as_of else (None, None)
    series = clean.Series(runs.starts, timestamps, values, either(no_time, no_value), layout.seconds)
    return Points(runs, series, as_of, reasons)


def _list_points(table: pa.Table, layout: Layout) -> Points:
    """One metric per row."""
    return list_points(table, runs_of(table.column("metric").chunks, np.arange(len(table) + 1)), layout)


def list_points(table: pa.Table | pa.RecordBatch, by_row: Runs, layout: Layout) -> Points:
    """Lists in rows, one run per row given; lists of different lengths make the row malformed, null ones are empty."""
    stamps, numbers = _one(table.column("timestamp")), _one(table.column("value"))
    stamps.validate(full=True)  # offsets from elsewhere must not point outside
    numbers.validate(full=True)
    lengths, others = _list_lengths(stamps), _list_lengths(numbers)
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


def as_of_values(column: pa.ChunkedArray | pa.Array) -> Ints:
    """int64 epoch seconds, NO_AS_OF where null; each number judged by magnitude, left as it is if nothing fits."""
    ticks, absent = ticks_of(column)
    stamped = pa.types.is_timestamp(column.type)
    seconds = np.zeros(len(ticks), np.int64)
    known = np.zeros(len(ticks), np.bool_)
    for unit in () if stamped else clean.TICKS[1:]:
        inside = (ticks >= clean.EARLIEST * unit) & (ticks < (clean.LATEST + 1) * unit)
        if inside.any():
            seconds[inside] = np.floor_divide(ticks[inside], unit)
            known |= inside
    with np.errstate(invalid="ignore"):
        whole = (
            ticks
            if ticks.dtype == np.int64
            else np.where(np.isfinite(ticks), np.floor(ticks), NO_AS_OF).astype(np.int64)
        )
    seconds = np.where(known, seconds, whole) if known.any() else whole
    return seconds if absent is None else np.where(absent, NO_AS_OF, seconds)


def ticks_of(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Timestamps as int64 (epoch seconds where the type has a unit) or float64, and where they are null."""
    array = _one(column)
    if pa.types.is_floating(array.type):
        return floats_of(array)
    if pa.types.is_timestamp(array.type):
        ticks = view(array.view(pa.int64()))
    else:
        ticks = _numbers(array, pa.int64()).astype(np.int64, copy=False)
    per_second = PER_SECOND[array.type.unit] if pa.types.is_timestamp(array.type) else 1
    return (ticks if per_second == 1 else ticks // per_second), nulls(array)


def floats_of(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
    """Values as float64, and where they are null."""
    array = _one(column)
    return _numbers(array, pa.float64()).astype(np.float64, copy=False), nulls(array)


def _numbers(array: pa.Array, other: pa.DataType) -> NDArray[Any]:
    """The array as numpy; what numpy has no type for (decimals, nulls) comes as `other`."""
    return view(array if array.type in DTYPES else array.cast(other, safe=False))


def either(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Where one or the other is set."""
    if one is None or other is None:
        return other if one is None else one
    return one | other


def _list_lengths(lists: pa.Array) -> Ints:
    """Length of each list, 0 where null."""
    import pyarrow.compute as pc

    lengths = pc.list_value_length(lists)
    absent, counts = nulls(lengths), view(lengths).astype(np.int64)
    return counts if absent is None else np.where(absent, 0, counts)


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array; copied only if it came in several chunks."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return (
        column.chunk(0)
        if column.num_chunks == 1
        else pa.concat_arrays(column.chunks)
        if column.num_chunks
        else pa.nulls(0, column.type)
    )


def _is_text(kind: pa.DataType) -> bool:
    """String or bytes, plain or dictionary-encoded."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
              pa.types.is_large_binary, pa.types.is_null)  # fmt: skip
    return any(check(kind) for check in checks)


def _is_list(kind: pa.DataType) -> bool:
    checks: Iterable[Any] = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list,
                             pa.types.is_list_view, pa.types.is_large_list_view)  # fmt: skip
    return any(check(kind) for check in checks)


def _is_time(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_timestamp, pa.types.is_null)
    return any(check(kind) for check in checks)


def _is_number(kind: pa.DataType) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    return any(check(kind) for check in checks)
