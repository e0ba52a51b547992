"""Labels: when each metric really was anomalous, from NAB JSON, CSV, Parquet, or from Python."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ridgeline.engine.evaluate.tables import full_names, read_object, read_table, table_of
from ridgeline.io.arrow.instants import instants_of
from ridgeline.io.epochs import EVER_AFTER, EVER_BEFORE
from ridgeline.io.errors import InputError

Window = tuple[int, int]
DAY: Final = 86_400
_DATE: Final = re.compile(r"\s*\d{4}-\d{2}-\d{2}\s*")


@dataclass(frozen=True, slots=True)
class Labels:
    """Windows per metric, epoch seconds, both ends inclusive, in time order; a point is a window of one second."""

    windows: dict[str, tuple[Window, ...]]

    @property
    def count(self) -> int:
        """How many windows there are in all."""
        return sum(map(len, self.windows.values()))


def unheard(labels: Labels, known: Container[str], so: str = "their windows count as missed") -> str | None:
    """Say which labelled metrics are not among those known, and what becomes of them; None where all are."""
    unknown = sorted(metric for metric, windows in labels.windows.items() if windows and metric not in known)
    if not unknown:
        return None
    shown = ", ".join(map(repr, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
    return f"{len(unknown)} labelled metrics have no scores, {so}: {shown}"


def read_labels(source: Any, labels_from: Sequence[str] = ()) -> Labels:
    """Read NAB's JSON, or a file of any format with `metric,start,end` or `metric,timestamp`; or the same from Python.

    `source` is a path, an Arrow table (or whatever gives one), or a mapping of metric to [[start, end], ...]. Times in
    any unit and spelling that `instants_of` reads. A window without start or end is open on that side; an end that is
    only a date means the whole of that day. Of `labels_from`, the columns that are there become part of the names, as they
    do where series are read; without them, names are as they stand. Raises InputError with one sentence for what cannot be read.
    """
    if isinstance(source, Mapping) and not _is_columns(source):
        return _checked(_from_mapping(source, "labels"), "labels")
    if not isinstance(source, (str, Path)):
        return _checked(_from_table(table_of(source, "labels"), labels_from, "labels"), "labels")
    path, what = Path(source), f"labels {source}"
    if not path.is_file():
        raise InputError(f"{what} do not exist: give a file of NAB's JSON, CSV, JSON lines, Arrow or Parquet")
    document = read_object(path, what)
    if document is not None and not _is_columns(document):
        return _checked(_from_mapping(document, what), what)
    return _checked(_from_table(read_table(path, what), labels_from, what), what)


def _is_columns(source: Mapping[Any, Any]) -> bool:
    """Whether a mapping is a dict of columns, not of metrics."""
    return set(source) >= {"metric", "start", "end"} or set(source) >= {"metric", "timestamp"}


def _checked(windows: dict[str, list[Window]], what: str) -> Labels:
    for metric, spans in windows.items():
        for start, end in spans:
            if end < start:
                raise InputError(f"{what}: a window of {metric!r} ends at {end}, before it starts at {start}")
    return Labels({metric: tuple(sorted(spans)) for metric, spans in windows.items()})


def _from_mapping(document: Mapping[Any, Any], what: str) -> dict[str, list[Window]]:
    """Accept `{"windows": [[start, end], ...]}` as well as NAB's own bare list of pairs, under each metric."""
    found: dict[str, list[Window]] = {}
    for metric, entry in document.items():
        windows = entry.get("windows") if isinstance(entry, dict) else entry
        if not isinstance(windows, Iterable) or isinstance(windows, (str, bytes)):
            raise InputError(f"{what}: the windows of {metric!r} are {windows!r:.60}, expected a list of [start, end]")
        pairs = [_pair(window, metric, what) for window in windows]
        starts, ends = [start for start, _ in pairs], [end for _, end in pairs]
        found[str(metric)] = _windows(starts, ends, f"{what}: a window of {metric!r}") if pairs else []
    return found


def _pair(window: Any, metric: object, what: str) -> tuple[Any, Any]:
    if isinstance(window, (list, tuple)) and len(window) == 2:
        return window[0], window[1]
    raise InputError(f"{what}: a window of {metric!r} is {window!r:.60}, expected [start, end]")


def _from_table(table: pa.Table, labels_from: Sequence[str], what: str) -> dict[str, list[Window]]:
    names = set(table.column_names)
    if not {"metric", "timestamp"} <= names and not {"metric", "start", "end"} <= names:
        raise InputError(f"{what}: expected columns metric,start,end or metric,timestamp, found {sorted(names)}")
    metrics = full_names(table, labels_from, what).to_pylist()
    if {"start", "end"} <= names:
        spans = _windows(table["start"], table["end"], f"{what}: a window")
    else:
        moments = instants_of(table["timestamp"], f"{what}: timestamp")
        if not moments.known.all():
            raise InputError(f"{what}: {int((~moments.known).sum()):,} points have no timestamp")
        spans = [(moment, moment) for moment in moments.seconds.tolist()]
    windows: dict[str, list[Window]] = {}
    for metric, span in zip(metrics, spans, strict=True):
        windows.setdefault(metric, []).append(span)
    return windows


def _windows(starts: Any, ends: Any, what: str) -> list[Window]:
    """Pairs of epoch seconds; open where a side is absent."""
    first, last = instants_of(starts, f"{what} (start)"), instants_of(ends, f"{what} (end)")
    if not (first.known | last.known).all():
        raise InputError(f"{what} has neither start nor end")
    opened = np.where(first.known, first.seconds, EVER_BEFORE)
    closed = np.where(last.known, last.seconds + _rest_of_day(ends, last.seconds), EVER_AFTER)
    return list(zip(opened.tolist(), closed.tolist(), strict=True))


def _rest_of_day(ends: Any, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Seconds from midnight to the end of the day, for ends that are only a date."""
    if isinstance(ends, (pa.Array, pa.ChunkedArray)) and pa.types.is_date(ends.type):
        return np.full(len(seconds), DAY - 1)
    plain = ends.to_pylist() if isinstance(ends, (pa.Array, pa.ChunkedArray)) else ends
    only_dates = [isinstance(end, str) and _DATE.fullmatch(end) is not None for end in plain]
    return np.where(only_dates, DAY - 1, 0)
