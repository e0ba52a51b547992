"""Whole series, as databases give them out, as points: metric after metric, in bounded batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from ridgeline.io.arrow.buffers import strings
from ridgeline.io.tables.cells import numbers_of, times_of
from ridgeline.io.tables.mixed import column_of
from ridgeline.io.tables.point_columns import LONG, points

POINTS: Final = 1 << 18  # gathered before they are handed on


def gathered(series: Iterable[tuple[str, list[Any], list[Any]]]) -> Iterator[pa.RecordBatch]:
    """The points of (name, times, values); a series without any has one that is absent."""
    waiting: list[tuple[str, list[Any], list[Any]]] = []
    count = 0
    for name, times, values in series:
        waiting.append((name, times or [None], values or [None]))
        count += max(len(times), 1)
        if count >= POINTS:
            yield _batch(waiting)
            waiting, count = [], 0
    if waiting:
        yield _batch(waiting)


def _batch(series: list[tuple[str, list[Any], list[Any]]]) -> pa.RecordBatch:
    codes = [code for code, (_, times, _) in enumerate(series) for _ in times]
    metric = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), strings(name for name, _, _ in series))
    times = column_of([time for _, times, _ in series for time in times])
    values = column_of([value for _, _, values in series for value in values])
    return pa.RecordBatch.from_arrays([metric, *points(times_of(times), numbers_of(values))], schema=LONG)
