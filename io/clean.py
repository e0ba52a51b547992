"""Cleaning: done once, where points enter, and only what no profile changes.

Points without a finite value or a sane timestamp are dropped and counted, rows are sorted by time (stable),
rows that hold equal timestamps are flagged. Clean points pass through untouched and uncopied.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.epochs import EARLIEST, LATEST, TICKS
from ridgeline.io.reasons import NO_USABLE_POINTS, USABLE

BLOCK: Final = 32_768  # points per step of the check: the flags of one step stay in cache
NON_NUMERIC_BITS: Final = 0x7FF8_0000_5269_6467
# A NaN by which readers of text mark points whose value or timestamp is no number: they are counted as such.
NON_NUMERIC: Final = float(np.array(NON_NUMERIC_BITS, np.int64).view(np.float64))

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Series:
    """Rows of points as they came: `offsets` int64[n+1] into `timestamps` (int64 or float64) and `values` float64.

    `offsets[0]` may be above 0. `nulls` (bool per point, aligned with `values`) marks points whose timestamp or value
    is absent. `seconds` says that timestamps are epoch seconds by their type; otherwise each row is judged by magnitude.
    """

    offsets: Ints
    timestamps: NDArray[Any]
    values: Floats
    nulls: Bools | None = None
    seconds: bool = False


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Clean rows: points sorted by time within each row, and points by reason.

    uint8[n] each: reasons, flags of rows that hold equal timestamps, flags of rows that came unsorted.
    """

    offsets: Ints
    timestamps: Ints
    values: Floats
    reasons: Bytes
    duplicates: Bytes
    disordered: Bytes
    newest: int | None
    repairs: Counter[str] = field(default_factory=Counter)


def clean(series: Series, reasons: Bytes | None = None) -> Cleaned:
    """Drop, sort and flag. Rows that already have a reason lose their points uncounted."""
    rows = len(series.offsets) - 1
    reasons = np.zeros(rows, np.uint8) if reasons is None else np.array(reasons, np.uint8)
    repairs: Counter[str] = Counter()
    if reasons.any():
        series = _without_rows(series, reasons != USABLE)
    before = np.diff(series.offsets)
    newest: int | None = None
    suspects = _not_later(series) if series.timestamps.dtype == np.int64 else None
    if suspects is None or not _all_usable(series, increasing=len(suspects) == 0):
        series, newest = _drop(series, repairs)
        suspects = _not_later(series)
    offsets, timestamps, values = series.offsets, series.timestamps, series.values
    duplicates = disordered = np.zeros(rows, np.uint8)  # one array, as a rule
    if len(suspects):
        timestamps, values, disordered = _sort(series, suspects, repairs)
        suspects = _not_later(Series(offsets, timestamps, values))
    if len(suspects):
        duplicates = np.zeros(rows, np.uint8)
        repairs["duplicate_timestamp"] += len(suspects)
        duplicates[row_of(offsets, suspects)] = 1
    reasons[(reasons == USABLE) & (before > 0) & (np.diff(offsets) == 0)] = NO_USABLE_POINTS
    if newest is None:
        filled = np.diff(offsets) > 0
        newest = int(timestamps[offsets[1:][filled] - 1].max()) if filled.any() else None
    return Cleaned(offsets, timestamps, values, reasons, duplicates, disordered, newest, repairs)


def is_marked(values: Floats) -> Bools:
    """Where a value is `NON_NUMERIC`."""
    marked: Bools = values.view(np.int64) == NON_NUMERIC_BITS
    return marked


def row_of(offsets: Ints, positions: Ints) -> Ints:
    """The row of each point position; rows may be empty."""
    rows: Ints = np.searchsorted(offsets, positions, side="right") - 1
    return rows


def _not_later(series: Series) -> Ints:
    """Positions of points that are not later than the point before them in the same row."""
    timestamps, start, stop = series.timestamps, int(series.offsets[0]), int(series.offsets[-1])
    flags = np.empty(min(BLOCK, max(stop - start, 1)), np.bool_)
    found = []
    for low in range(start + 1, stop, BLOCK):
        high = min(low + BLOCK, stop)
        out = np.less_equal(timestamps[low:high], timestamps[low - 1 : high - 1], out=flags[: high - low])
        hits = np.flatnonzero(out)
        if len(hits):
            found.append(hits + low)
    if not found:
        return np.empty(0, np.int64)
    positions = np.concatenate(found)
    at = np.minimum(np.searchsorted(series.offsets, positions), len(series.offsets) - 1)
    late: Ints = positions[series.offsets[at] != positions]  # the first point of a row follows nothing
    return late


def _all_usable(series: Series, *, increasing: bool) -> bool:
    """Every point finite and in sane epoch seconds. Where rows increase, their ends speak for what lies between."""
    start, stop = int(series.offsets[0]), int(series.offsets[-1])
    if series.nulls is not None and series.nulls[start:stop].any():
        return False
    if start == stop:
        return True
    timestamps, values = series.timestamps[start:stop], series.values[start:stop]
    if increasing:
        filled = np.diff(series.offsets) > 0
        first, last = series.offsets[:-1][filled] - start, series.offsets[1:][filled] - 1 - start
        sane = timestamps[first].min() >= EARLIEST and timestamps[last].max() <= LATEST
    else:
        sane = timestamps.min() >= EARLIEST and timestamps.max() <= LATEST
    if not sane:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        total = values.sum()
    # A NaN or an infinity cannot hide in a finite sum; a sum that overflows settles nothing.
    return bool(np.isfinite(total) or np.isfinite(values).all())


def _without_rows(series: Series, empty: Bools) -> Series:
    """The same rows, those in `empty` without points."""
    lengths = np.diff(series.offsets)
    keep = np.repeat(~empty, lengths)
    return _compress(series, keep, np.where(empty, 0, lengths))


def _compress(series: Series, keep: Bools, lengths: Ints) -> Series:
    """The points in `keep` (relative to `offsets[0]`), as rows of the given lengths."""
    window = slice(int(series.offsets[0]), int(series.offsets[-1]))
    return Series(
        np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))),
        series.timestamps[window][keep],
        series.values[window][keep],
        None if series.nulls is None else series.nulls[window][keep],
        series.seconds,
    )


def _drop(series: Series, repairs: Counter[str]) -> tuple[Series, int | None]:
    """Only the usable points, their timestamps in seconds; and the newest sane timestamp, whatever its value."""
    lengths = np.diff(series.offsets)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    window = slice(int(series.offsets[0]), int(series.offsets[-1]))
    values = series.values[window]
    present = np.ones(len(values), np.bool_) if series.nulls is None else ~series.nulls[window]
    timestamps = _seconds(series.timestamps[window], rows, len(lengths), present, judge=not series.seconds)
    sane = (timestamps >= EARLIEST) & (timestamps <= LATEST)
    finite = np.isfinite(values)
    keep = present & finite & sane
    marked = np.count_nonzero(present & is_marked(values))
    for reason, count in (
        ("null", np.count_nonzero(~present)),
        ("non_numeric", marked),
        ("non_finite", np.count_nonzero(present & ~finite) - marked),
        ("bad_timestamp", np.count_nonzero(present & finite & ~sane)),
    ):
        if count:
            repairs[reason] += int(count)
    seen = timestamps[present & sane]
    newest = int(seen.max()) if len(seen) else None
    if keep.all():
        return Series(series.offsets - series.offsets[0], timestamps, values, seconds=True), newest
    left = np.bincount(rows[keep], minlength=len(lengths))
    aligned = Series(series.offsets - series.offsets[0], timestamps, values, seconds=True)
    return _compress(aligned, keep, left), newest


def _seconds(timestamps: NDArray[Any], rows: Ints, count: int, present: Bools, *, judge: bool) -> Ints:
    """Epoch seconds, floored. A row is taken in the unit that makes most of its timestamps sane, seconds first."""
    ticks = _ticks(timestamps, rows, count, present) if judge else np.ones(count, np.int64)
    plain = bool((ticks == 1).all())
    if timestamps.dtype == np.int64:
        return timestamps if plain else timestamps // ticks[rows]
    floored = np.floor(timestamps if plain else timestamps / ticks[rows])
    outside = ~((floored >= EARLIEST) & (floored <= LATEST))  # NaN and infinities too
    return np.where(outside, 0, floored).astype(np.int64)


def _ticks(timestamps: NDArray[Any], rows: Ints, count: int, present: Bools) -> Ints:
    """Ticks per second of each row. Most rows are plain seconds: only those with a point that is not are counted."""
    ticks = np.ones(count, np.int64)
    odd = ~_sane_in(timestamps, 1) & present
    if odd.any():
        doubtful = np.zeros(count, np.bool_)
        doubtful[rows[odd]] = True
        points = doubtful[rows] & present
        stamps, owners = timestamps[points], rows[points]
        votes = np.stack([np.bincount(owners[_sane_in(stamps, unit)], minlength=count) for unit in TICKS])
        ticks = np.array(TICKS)[np.argmax(votes, axis=0)]  # the first of equals
    return ticks


def sane(timestamps: NDArray[Any]) -> Bools:
    """Whether each timestamp, in any of the units, lies within the sane range."""
    inside: Bools = np.logical_or.reduce([_sane_in(timestamps, unit) for unit in TICKS])
    return inside


def _sane_in(timestamps: NDArray[Any], ticks: int) -> Bools:
    """Whether each timestamp, floored to seconds, lies within the sane range; `ticks` per second."""
    return (timestamps >= EARLIEST * ticks) & (timestamps < (LATEST + 1) * ticks)


def _sort(series: Series, suspects: Ints, repairs: Counter[str]) -> tuple[Ints, Floats, Bytes]:
    """Timestamps and values with every row in time order, and which rows were not; equal timestamps keep their order."""
    timestamps, values = series.timestamps, series.values
    disordered = np.zeros(len(series.offsets) - 1, np.uint8)
    late = suspects[timestamps[suspects] < timestamps[suspects - 1]]
    if not len(late):
        return timestamps, values, disordered
    repairs["reordered"] += len(late)
    timestamps, values = timestamps.copy(), values.copy()
    for row in np.unique(row_of(series.offsets, late)):
        piece = slice(int(series.offsets[row]), int(series.offsets[row + 1]))
        order = np.argsort(timestamps[piece], kind="stable")
        timestamps[piece] = timestamps[piece][order]
        values[piece] = values[piece][order]
        disordered[row] = 1
    return timestamps, values, disordered
