"""Which row groups may hold points of some metrics after an instant, as their statistics tell; the others are not read."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import replace

from ridgeline.io.epochs import EARLIEST
from ridgeline.io.parquet.files import DataFile
from ridgeline.io.parquet.footer import Group
from ridgeline.io.parquet.newest import bounds_of


def only_metrics(files: Sequence[DataFile], metrics: Collection[str], since: int) -> list[DataFile]:
    """The files with only those row groups that may hold a point of one of the metrics, later than `since`.

    Where statistics do not tell, a row group stays.
    """
    wanted = sorted(metric.encode() for metric in metrics)
    return [replace(file, groups=tuple(g for g in file.groups if _may_hold(file, g, wanted, since))) for file in files]


def _may_hold(file: DataFile, group: Group, wanted: Sequence[bytes], since: int) -> bool:
    chunk = group.chunks.get("metric")
    if chunk is None:
        named = file.keys.get("metric")
        return named is None or named.encode() in wanted
    if chunk.low is not None and chunk.high is not None:
        first = bisect_left(wanted, chunk.low)
        # Bounds may be cut short: then the high one is raised, but some writers only cut it.
        if first == len(wanted) or (wanted[first] > chunk.high and not wanted[first].startswith(chunk.high)):
            return False
    return not _is_older(file, group, since)


def _is_older(file: DataFile, group: Group, since: int) -> bool:
    """Whether all points of a row group are known to lie at or before `since`, epoch seconds."""
    bounds = bounds_of(file, group)
    if bounds is None:
        return False
    ticks = file.leaves["timestamp"].ticks
    # Plain numbers are seconds only if they could be nothing else: of a larger unit they would be larger.
    return bounds[1] // ticks <= since if ticks else EARLIEST <= bounds[1] <= since
