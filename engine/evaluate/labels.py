"""Labels: when each metric really was anomalous, from NAB JSON, CSV or Parquet."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ridgeline.io.errors import InputError

Window = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Labels:
    """Windows per metric, epoch seconds, both ends inclusive, in time order; a point is a window of one second."""

    windows: dict[str, tuple[Window, ...]]

    @property
    def count(self) -> int:
        """How many windows there are in all."""
        return sum(map(len, self.windows.values()))


def read_labels(path: Path) -> Labels:
    """Read `path`: NAB's JSON, or CSV / Parquet with `metric,start,end` or `metric,timestamp`."""
    if not path.is_file():
        raise InputError(f"labels {path} do not exist: give a .json, .csv or .parquet file")
    try:
        windows = _from_json(path) if path.suffix == ".json" else _from_table(path, _read_table(path))
    except (ValueError, pa.ArrowInvalid, OSError) as error:
        raise InputError(f"labels {path} cannot be read: {error}") from error
    for metric, spans in windows.items():
        for start, end in spans:
            if end < start:
                raise InputError(f"labels {path}: a window of {metric!r} ends at {end}, before it starts at {start}")
    return Labels({metric: tuple(sorted(spans)) for metric, spans in windows.items()})


def _from_json(path: Path) -> dict[str, list[Window]]:
    document = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise InputError(f"labels {path}: expected a JSON object of metric to windows")
    return {metric: [_span(path, metric, window) for window in _windows(entry)] for metric, entry in document.items()}


def _windows(entry: Any) -> list[Any]:
    """Accept `{"windows": [[start, end], ...]}` as well as NAB's own bare list of pairs."""
    found = entry.get("windows") if isinstance(entry, dict) else entry
    return found if isinstance(found, list) else []


def _span(path: Path, metric: str, window: Any) -> Window:
    if not isinstance(window, list) or len(window) != 2:
        raise InputError(f"labels {path}: a window of {metric!r} is {window!r}, expected [start, end] in epoch seconds")
    start, end = (_seconds(moment) for moment in window)
    return start, end


def _seconds(moment: Any) -> int:
    """Epoch seconds from a number or from NAB's `2014-04-11 09:00:00.000000` (UTC)."""
    if isinstance(moment, str) and not moment.strip().isdecimal():
        from datetime import UTC, datetime

        parsed = datetime.fromisoformat(moment)
        return int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp())
    return int(moment)


def _read_table(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return pq.read_table(path)
    from pyarrow import csv

    return csv.read_csv(path)


def _from_table(path: Path, table: pa.Table) -> dict[str, list[Window]]:
    names = set(table.column_names)
    if {"metric", "start", "end"} <= names:
        starts, ends = table["start"], table["end"]
    elif {"metric", "timestamp"} <= names:
        starts = ends = table["timestamp"]
    else:
        raise InputError(f"labels {path}: expected columns metric,start,end or metric,timestamp, found {sorted(names)}")
    windows: dict[str, list[Window]] = {}
    metrics = table["metric"].cast(pa.string()).to_pylist()
    for metric, start, end in zip(metrics, _epochs(starts), _epochs(ends), strict=True):
        windows.setdefault(metric, []).append((start, end))
    return windows


def _epochs(column: pa.ChunkedArray) -> list[int]:
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column.cast(pa.timestamp("us", column.type.tz)), pa.int64())
        return [moment // 1_000_000 for moment in column.to_pylist()]
    return [_seconds(moment) for moment in column.to_pylist()]
