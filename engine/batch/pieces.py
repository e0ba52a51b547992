"""A block of metrics in pieces, none of them with more new points than are judged at once: memory and waits stay bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.archive.select import behind
from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.matrix import MetricMatrix

MOST: Final = 200_000  # new points judged at once


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Rows of a block, as far as they are judged together.

    first   the place of its first row in the block
    after   int64[rows]: what is newer is judged
    ends    whether its rows have no new points beyond it
    """

    matrix: MetricMatrix
    first: int
    after: NDArray[np.int64]
    ends: bool = True


def pieces_of(matrix: MetricMatrix, after: NDArray[np.int64], most: int = MOST) -> Iterator[Piece]:
    """Cut a block: many rows with few new points each together, one row with more than `most` into several pieces."""
    begins, ends = matrix.offsets[:-1], matrix.offsets[1:]
    fresh = behind(matrix.timestamps, begins, ends, after)
    sizes = (ends - fresh).tolist()
    first, gathered = 0, 0
    for row, size in enumerate(sizes):
        if gathered and gathered + size > most:
            yield Piece(matrix.slice(first, row), first, after[first:row])
            first, gathered = row, 0
        if size > most:
            if first < row:
                yield Piece(matrix.slice(first, row), first, after[first:row])
            yield from _long(matrix.slice(row, row + 1), row, int(after[row]), int(fresh[row]), most)
            first, gathered = row + 1, 0
            continue
        gathered += size
    if first < len(matrix):
        yield Piece(matrix.slice(first, len(matrix)), first, after[first:])


def _long(row: MetricMatrix, at: int, after: int, fresh: int, most: int) -> Iterator[Piece]:
    """One row in pieces, of which each is judged after the one before; equal timestamps stay together."""
    stamps, begin, end = row.timestamps, int(row.offsets[0]), int(row.offsets[1])
    while fresh < end:
        stop = min(fresh + most, end)
        stop += int(np.searchsorted(stamps[stop:end], stamps[stop - 1], "right"))
        yield Piece(_until(row, begin, stop), at, np.array([after], np.int64), ends=stop == end)
        after, fresh = int(stamps[stop - 1]), stop


def _until(row: MetricMatrix, begin: int, stop: int) -> MetricMatrix:
    """The points of a matrix of one row before the place `stop`, not copied."""
    bounds = arrow(np.array([begin, stop], np.int64))
    name, stamps, values, as_of = row.batch.columns
    lists = (pa.LargeListArray.from_arrays(bounds, one.values) for one in (stamps, values))
    return replace(row, batch=pa.RecordBatch.from_arrays([name, *lists, as_of], schema=row.batch.schema))
