"""The columns that points are handed on in: one point a row, or one metric a row with lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.columns import list_lengths
from ridgeline.io.arrow.labels import text_runs
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.clean import NON_NUMERIC
from ridgeline.io.tables.cells import Cells, numbers_of, times_of

LONG: Final = pa.schema(
    [("metric", pa.dictionary(pa.int32(), pa.string())), ("timestamp", pa.int64()), ("value", pa.float64())]
)
LISTS: Final = pa.schema(
    [("metric", pa.string()), ("timestamp", pa.large_list(pa.int64())), ("value", pa.large_list(pa.float64()))]
)
AS_OF: Final = pa.field("as_of", pa.int64())


def points(stamps: Cells, numbers: Cells) -> tuple[pa.Array, pa.Array]:
    """int64 and float64 columns: null where the time or the value is absent, `NON_NUMERIC` where one cannot be read."""
    values = numbers.numbers
    if stamps.bad is not None and stamps.bad.any():
        values = np.where(stamps.bad, NON_NUMERIC, values)
    return arrow(stamps.numbers, stamps.absent), arrow(values, numbers.absent)


def dictionary(metric: Runs) -> pa.DictionaryArray:
    """The metric of each point."""
    codes = np.repeat(metric.codes, np.diff(metric.starts)).astype(np.int32)
    return pa.DictionaryArray.from_arrays(arrow(codes, codes < 0), metric.names)


def one_a_row(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """A batch of LISTS as LONG, and how many of its rows have lists of two lengths: those are left out."""
    times, values = batch.column("timestamp"), batch.column("value")
    if pa.types.is_int64(times.type):
        return batch.select(LONG.names), 0
    lengths = list_lengths(times)
    even = lengths == list_lengths(values)
    batch = batch.filter(arrow(even))
    metric = text_runs(batch.column("metric"))
    rows = Runs(metric.names, np.repeat(metric.codes, np.diff(metric.starts)), np.append(0, np.cumsum(lengths[even])))
    columns = [dictionary(rows), batch.column("timestamp").flatten(), batch.column("value").flatten()]
    return batch_of(LONG, columns), int((~even).sum())


def lists(times: pa.Array, values: pa.Array) -> list[pa.Array]:
    """Lists of points; a list of texts or dates as one of numbers."""
    times.validate(full=True)
    values.validate(full=True)
    stamps, numbers = times.flatten(), values.flatten()
    lengths, others = list_lengths(times), list_lengths(values)
    if np.array_equal(lengths, others):
        stamps, numbers = points(times_of(stamps), numbers_of(numbers))
    else:  # some rows are malformed, and cannot tell which time goes with which value
        found = times_of(stamps), numbers_of(numbers)
        stamps, numbers = (arrow(one.numbers, one.absent) for one in found)
    ends = [arrow(np.append(0, np.cumsum(sizes))) for sizes in (lengths, others)]
    return [pa.LargeListArray.from_arrays(ends[0], stamps), pa.LargeListArray.from_arrays(ends[1], numbers)]


def batch_of(schema: pa.Schema, columns: Sequence[pa.Array]) -> pa.RecordBatch:
    """Columns of LONG or LISTS, perhaps with AS_OF behind, as a batch."""
    fields = [*schema, AS_OF][: len(columns)]
    return pa.RecordBatch.from_arrays(list(columns), schema=pa.schema(fields))
