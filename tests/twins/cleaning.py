"""The cleaning of points, once more, as plain loops over Python objects: what `io/clean.py` must agree with."""

import math
from collections import Counter
from dataclasses import dataclass, field

EARLIEST, LATEST = 946_684_800, 4_102_444_800
UNITS = (1, 1_000, 1_000_000, 1_000_000_000)


@dataclass
class Series:
    """What becomes of one metric."""

    points: list = field(default_factory=list)
    reason: str = ""
    as_of: int | None = None
    duplicates: bool = False


def sane(timestamp, unit):
    """Epoch seconds of a timestamp in this unit, or None if they lie outside 2000-01-01 .. 2100-01-01."""
    if isinstance(timestamp, float) and not math.isfinite(timestamp):
        return None
    seconds = timestamp // unit if isinstance(timestamp, int) else math.floor(timestamp / unit)
    return seconds if EARLIEST <= seconds <= LATEST else None


def unit_of(timestamps):
    """The unit that makes most timestamps sane, the coarsest of equals."""
    return max(UNITS, key=lambda unit: (sum(sane(t, unit) is not None for t in timestamps), -unit))


def clean_series(points, repairs, *, declared=False):
    """The clean points of one series [(timestamp, value), ...], and its newest sane timestamp."""
    series = Series()
    unit = 1 if declared else unit_of([t for t, v in points if t is not None and v is not None])
    newest = None
    for timestamp, value in points:
        if timestamp is None or value is None:
            repairs["null"] += 1
            continue
        seconds = sane(timestamp, unit)
        if seconds is not None:
            newest = seconds if newest is None else max(newest, seconds)
        if not math.isfinite(value):
            repairs["non_finite"] += 1
        elif seconds is None:
            repairs["bad_timestamp"] += 1
        else:
            series.points.append((seconds, float(value)))
    for before, after in zip(series.points, series.points[1:], strict=False):
        repairs["reordered"] += after[0] < before[0]
    series.points.sort(key=lambda point: point[0])
    for before, after in zip(series.points, series.points[1:], strict=False):
        if before[0] == after[0]:
            repairs["duplicate_timestamp"] += 1
            series.duplicates = True
    if points and not series.points:
        series.reason = "no_usable_points"
    return series, newest


def clean_table(rows, *, declared=False):
    """Rows (metric, timestamp, value, as_of), in any order: ({metric: Series}, repairs, newest)."""
    repairs = Counter()
    grouped = {}
    for metric, timestamp, value, as_of in rows:
        if metric is None:
            repairs["null"] += 1
            continue
        points, moments = grouped.setdefault(metric, ([], set()))
        points.append((timestamp, value))
        if as_of is not None:
            moments.add(as_of)
    cleaned, newests = {}, []
    for metric, (points, moments) in grouped.items():
        if len(moments) > 1:
            cleaned[metric] = Series(reason="as_of_conflict")
            continue
        series, newest = clean_series(points, repairs, declared=declared)
        series.as_of = next(iter(moments), None)
        cleaned[metric] = series
        if newest is not None:
            newests.append(newest)
    return cleaned, +repairs, max(newests, default=None)
