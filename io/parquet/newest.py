"""The newest timestamp of Parquet files from the statistics of their row groups, without reading a row."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final

from ridgeline.io.epochs import EARLIEST, LATEST, TICKS
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.footer import Group

FORMATS: Final = {1: "<i", 2: "<q", 4: "<f", 5: "<d"}  # by physical type; INT96 has no usable order


def newest_by_statistics(files: Sequence[DataFile]) -> tuple[bool, int | None]:
    """(known, newest sane timestamp in epoch seconds).

    Not known where statistics are missing, or where the highest timestamp is not sane, or where plain numbers are of
    several units: then only each metric's own points can tell.
    """
    low: int | None = None
    high: int | None = None
    ticks: set[int | None] = set()
    for file in files:
        for group in file.groups:
            bounds = bounds_of(file, group)
            if bounds is None:
                return False, None
            ticks.add(file.leaves["timestamp"].ticks)
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


def bounds_of(file: DataFile, group: Group) -> tuple[int, int] | None:
    """Lowest and highest timestamp of a row group, where its statistics tell."""
    leaf, stamp, metric = file.leaves["timestamp"], group.chunks["timestamp"], group.chunks.get("metric")
    form = FORMATS.get(leaf.physical)
    # Points without a name count for nothing; of unsigned numbers Arrow stores no order that all writers share.
    if form is None or not leaf.signed or (metric is not None and metric.nulls):
        return None
    try:
        (low,), (high,) = struct.unpack(form, stamp.low or b""), struct.unpack(form, stamp.high or b"")
    except struct.error:
        return None
    return (math.floor(low), math.floor(high)) if math.isfinite(low) and math.isfinite(high) else None
