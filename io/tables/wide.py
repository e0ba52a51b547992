"""Wide tables: a column of times, and one column for each metric.

An empty cell (or NaN) is no point and no fault: at that time the metric has none. A column without any point is still a
metric, and comes with one that is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.layout import is_number, listed
from ridgeline.io.clean import NON_NUMERIC, is_marked, sane
from ridgeline.io.errors import InputError
from ridgeline.io.tables.cells import Cells, numbers_of, times_of
from ridgeline.io.tables.legible import Legible, refuse_comma
from ridgeline.io.tables.point_columns import LONG
from ridgeline.io.tables.points import Place
from ridgeline.io.tables.reading import CELLS, NUMBERS, TIMES, Wanted
from ridgeline.io.tables.shape import Shape


class Wide:
    """The points of a wide table."""

    def __init__(self, shape: Shape, place: Place, *, text: bool) -> None:
        self._shape = shape
        self._place = place
        self._text = text
        self._names: list[str] = []
        self._places: list[int] = []
        self._time = 0
        self._called = ""
        self._heard: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self._legible = Legible(place.path)
        self._sane = self._rows = False

    def wanted(self, schema: pa.Schema) -> Wanted:
        """All columns, the time first; those without a name are passed over."""
        names, path = schema.names, self._place.path
        asked = self._shape.columns.get("timestamp")
        if not names or (asked is not None and asked not in names):
            raise InputError(
                f"{path}: no column {asked or 'at all'} (found: {listed(names)}); the first column is the time, or that of "
                "--columns timestamp=NAME"
            )
        self._time = 0 if asked is None else names.index(asked)
        self._called = names[self._time]
        self._places = [at for at, name in enumerate(names) if name and at != self._time]
        self._names = [names[at] for at in self._places]
        self._refuse(schema)
        self._heard = np.zeros(len(self._places), np.bool_)
        return Wanted([self._time, *self._places], [TIMES, *[NUMBERS] * len(self._places)])

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The points of a batch, metric after metric."""
        times, columns = self._cells(batch) if batch.schema.names == [CELLS] else self._columns(batch)
        refuse_comma(self._place.path, columns)
        rows, count = len(times), len(self._names)
        stamps = times_of(times)
        self._legible.see(self._called, times, stamps)
        self._sane = self._sane or bool(sane(stamps.numbers).any())
        self._rows = self._rows or rows > 0
        values = columns.numbers.reshape(count, rows)
        if stamps.bad is not None:
            values = np.where(stamps.bad, NON_NUMERIC, values)
        there = ~np.isnan(values) | is_marked(values)
        if columns.absent is not None:
            there &= ~columns.absent.reshape(count, rows)
        if stamps.absent is not None:
            there &= ~stamps.absent
        self._heard |= there.any(axis=1)
        kept = np.flatnonzero(there)
        codes = (kept // max(rows, 1)).astype(np.int32)
        metric = pa.DictionaryArray.from_arrays(arrow(codes), strings(self._names))
        return pa.RecordBatch.from_arrays(
            [metric, arrow(stamps.numbers[kept % max(rows, 1)]), arrow(values.ravel()[kept])], schema=LONG
        )

    def rest(self) -> Iterator[pa.RecordBatch]:
        """A row for each metric without any point. Raises InputError where the time is not one."""
        self._legible.check()
        if self._rows and not self._sane:
            raise InputError(
                f"{self._place.path}: column {self._called} holds no times between 2000 and 2100; "
                "say which column is the time by --columns timestamp=NAME"
            )
        silent = [name for name, heard in zip(self._names, self._heard.tolist(), strict=True) if not heard]
        if silent and self._rows:
            codes = np.arange(len(silent), dtype=np.int32)
            metric = pa.DictionaryArray.from_arrays(arrow(codes), strings(silent))
            none = pa.nulls(len(silent))
            yield pa.RecordBatch.from_arrays([metric, none.cast(pa.int64()), none.cast(pa.float64())], schema=LONG)

    def _refuse(self, schema: pa.Schema) -> None:
        path = self._place.path
        if not self._places:
            raise InputError(f"{path}: it has no column beside the time; --wide takes one column per metric")
        if len(set(self._names)) < len(self._names):
            twice = next(name for name, count in Counter(self._names).items() if count > 1)
            raise InputError(f"{path}: two columns are called {twice}, which would merge into one series; rename one")
        for at in () if self._text else self._places:
            kind = schema.field(at).type
            if not (pa.types.is_null(kind) or is_number(kind)):
                raise InputError(
                    f"{path}: column {schema.field(at).name} holds {kind}; in a wide table every column but the time holds "
                    "numbers"
                )

    def _columns(self, batch: pa.RecordBatch) -> tuple[pa.Array, Cells]:
        """Times, and the cells of all columns, one column after another."""
        found = [numbers_of(batch.column(at)) for at in range(1, batch.num_columns)]
        gone = [np.zeros(batch.num_rows, np.bool_) if one.absent is None else one.absent for one in found]
        comma = next((one.comma for one in found if one.comma is not None), None)
        return batch.column(0), Cells(np.concatenate([one.numbers for one in found]), np.concatenate(gone), None, comma)

    def _cells(self, batch: pa.RecordBatch) -> tuple[pa.Array, Cells]:
        """The same, of rows whose cells are one list."""
        lists = batch.column(0)
        width = lists.type.list_size
        flat = lists.flatten()
        table = np.arange(len(flat)).reshape(-1, width)
        return flat.take(arrow(np.ascontiguousarray(table[:, self._time]))), numbers_of(
            flat.take(arrow(np.ascontiguousarray(table[:, self._places].T.ravel())))
        )
