"""The newest timestamp of Parquet files from the statistics of their row groups, without reading a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from ridgeline.io.clean import EARLIEST, LATEST, TICKS
from ridgeline.io.parquet.files import DataFile

UNITS: Final = {"milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


def newest_by_statistics(files: Sequence[DataFile]) -> tuple[bool, int | None]:
    """(known, newest sane timestamp in epoch seconds).

    Not known where statistics are missing, or where the highest timestamp is not sane, or where plain numbers are of
    several units: then only each metric's own points can tell.
    """
    low: int | None = None
    high: int | None = None
    ticks: set[int | None] = set()
    for file in files:
        for index in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(index)
            if group.num_rows == 0:
                continue
            bounds = _bounds(group)
            if bounds is None:
                return False, None
            ticks.add(bounds[2])
            low = bounds[0] if low is None else min(low, bounds[0])
            high = bounds[1] if high is None else max(high, bounds[1])
    if low is None or high is None:
        return True, None
    if len(ticks) > 1:
        return False, None
    declared = ticks.pop()
    for per_second in TICKS if declared is None else (declared,):
        newest = high // per_second
        # A few stray small numbers cannot make seconds anything else; in a larger unit, they would be sane seconds.
        if EARLIEST <= newest <= LATEST and (declared or per_second == 1 or low >= EARLIEST * per_second):
            return True, newest
    return False, None


def _bounds(group: Any) -> tuple[int, int, int | None] | None:
    """Lowest and highest timestamp of a row group, and the ticks per second where the type says so."""
    chunks = (group.column(j) for j in range(group.num_columns))
    columns = {chunk.path_in_schema.split(".")[0]: chunk for chunk in chunks}
    stamp, metric = columns["timestamp"], columns.get("metric")
    statistics = stamp.statistics
    if statistics is None or not statistics.has_min_max:
        return None
    nameless = metric is not None and metric.statistics is not None and metric.statistics.null_count
    if nameless or stamp.physical_type not in {"INT64", "INT32", "DOUBLE", "FLOAT"}:
        return None  # points without a name count for nothing; INT96 has no usable order
    logical = json.loads(statistics.logical_type.to_json())
    if logical["Type"] == "Int" and not logical.get("isSigned", True):
        return None
    low, high = statistics.min_raw, statistics.max_raw
    if low != low or high != high or abs(low) == float("inf") or abs(high) == float("inf"):  # noqa: PLR0124 - NaN
        return None
    return int(low // 1), int(high // 1), UNITS.get(logical.get("timeUnit", ""))
