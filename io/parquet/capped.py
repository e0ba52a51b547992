"""No more points of one metric than a limit: the newest stay, the others are counted as `beyond_max_points`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.columns import floats_of, ticks_of
from ridgeline.io.clean import sane
from ridgeline.io.matrix import MetricMatrix

BEYOND: Final = "beyond_max_points"
LOWEST: Final = -float("inf")


def capped(matrix: MetricMatrix, limit: int, dropped: int = 0) -> MetricMatrix:
    """Only the newest `limit` points of each row; `dropped` were dropped before."""
    offsets = matrix.offsets
    starts = np.maximum(offsets[:-1], offsets[1:] - limit)
    more = int((starts - offsets[:-1]).sum())
    if more:
        lengths = offsets[1:] - starts
        keep = np.ones(int(offsets[-1] - offsets[0]), np.bool_)
        for row in np.flatnonzero(starts > offsets[:-1]):
            keep[offsets[row] - offsets[0] : starts[row] - offsets[0]] = False
        ends = arrow(np.append(0, np.cumsum(lengths)))
        points = slice(int(offsets[0]), int(offsets[-1]))
        columns = [
            matrix.batch.column(0),
            pa.LargeListArray.from_arrays(ends, arrow(matrix.timestamps[points][keep])),
            pa.LargeListArray.from_arrays(ends, arrow(matrix.values[points][keep])),
            matrix.batch.column(3),
        ]
        matrix = replace(matrix, batch=pa.RecordBatch.from_arrays(columns, schema=matrix.batch.schema))
    if more + dropped:
        return replace(matrix, repairs={**matrix.repairs, BEYOND: matrix.repairs.get(BEYOND, 0) + more + dropped})
    return matrix


def newest_points(table: pa.Table, limit: int) -> NDArray[np.int64]:
    """The places of the `limit` newest of a metric's points, one a row and not yet clean, in their order.

    Points that cleaning will drop count as the oldest.
    """
    stamps, no_stamp = ticks_of(table.column("timestamp"))
    values, no_value = floats_of(table.column("value"))
    usable = sane(stamps) & np.isfinite(values)
    for absent in (no_stamp, no_value):
        if absent is not None:
            usable &= ~absent
    ranks = np.where(usable, stamps, LOWEST)
    return np.sort(np.argpartition(ranks, len(ranks) - limit)[len(ranks) - limit :])
