"""The columnar matrix: many metrics' series in one Arrow record batch, read zero-copy by the kernels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io import clean
from ridgeline.io.arrow.buffers import arrow, nulls, strings, view
from ridgeline.kernels.decode import layout
from ridgeline.kernels.score.layout import OWN_AS_OF

INTEGER_TIMESTAMPS: Final = layout.INTEGER_TIMESTAMPS
INTEGER_VALUES: Final = layout.INTEGER_VALUES
NO_AS_OF: Final = OWN_AS_OF  # what a row without one holds: kernels then take its own newest timestamp

SCHEMA: Final = pa.schema(
    [
        pa.field("metric", pa.string(), nullable=False),
        pa.field("timestamp", pa.large_list(pa.int64()), nullable=False),
        pa.field("value", pa.large_list(pa.float64()), nullable=False),
        pa.field("as_of", pa.int64()),
    ]
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MetricMatrix:
    """Clean rows, one per metric: each sorted by time, without NaN, nulls or padding; lengths differ.

    batch       pa.RecordBatch of `SCHEMA`: metric string, timestamp large_list<int64> (epoch seconds),
                value large_list<float64>, as_of int64 (null: none given)
    reasons     uint8[n], position in `reasons.ROW_REASONS`; rows with a reason have no points
    duplicates  uint8[n], 1 where the row holds equal timestamps
    disordered  uint8[n], 1 where the row came unsorted (it is sorted now)
    repairs     points by reason (`reasons.POINT_REASONS`), over all rows
    newest      the newest sane timestamp, or None
    integers    uint8[n], whether the source holds timestamps (`INTEGER_TIMESTAMPS`) and values (`INTEGER_VALUES`) of the
                row as integers, as its first point tells; None where it was not looked at
    """

    batch: pa.RecordBatch
    reasons: NDArray[np.uint8]
    duplicates: NDArray[np.uint8]
    disordered: NDArray[np.uint8]
    repairs: Mapping[str, int]
    newest: int | None
    integers: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def __repr__(self) -> str:
        from ridgeline.io.shown import line

        return line(self)

    def _repr_html_(self) -> str:
        from ridgeline.io.shown import table

        return table(self)

    @property
    def metrics(self) -> pa.StringArray:
        """Base names, one per row."""
        return self.batch.column(0)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """int64[n+1]: row i is `timestamps[offsets[i]:offsets[i+1]]`. `offsets[0]` may be above 0."""
        return view(self.batch.column(1).offsets)

    @property
    def timestamps(self) -> NDArray[np.int64]:
        """int64[N] epoch seconds, read-only, shared with the batch."""
        return view(self.batch.column(1).values)

    @property
    def values(self) -> NDArray[np.float64]:
        """float64[N], read-only, shared with the batch."""
        return view(self.batch.column(2).values)

    @property
    def as_of(self) -> NDArray[np.int64]:
        """int64[n], `NO_AS_OF` where none was given."""
        column = self.batch.column(3)
        if column.null_count == len(column):
            return _frozen(np.full(len(column), NO_AS_OF))
        absent = nulls(column)
        return view(column) if absent is None else _frozen(np.where(absent, NO_AS_OF, view(column)))

    def name(self, row: int) -> str:
        """The base name of a row."""
        return str(self.metrics[row].as_py())

    def slice(self, start: int, stop: int) -> Self:
        """Rows start..stop, zero-copy. `repairs` and `newest` stay those of the whole matrix."""
        length = max(stop - start, 0)
        return replace(
            self,
            batch=self.batch.slice(start, length),
            reasons=self.reasons[start : start + length],
            duplicates=self.duplicates[start : start + length],
            disordered=self.disordered[start : start + length],
            integers=None if self.integers is None else self.integers[start : start + length],
        )

    @classmethod
    def from_columns(
        cls,
        metrics: pa.Array,
        offsets: NDArray[np.int64],
        timestamps: NDArray[Any],
        values: NDArray[np.float64],
        *,
        as_of: NDArray[np.int64] | None = None,
        reasons: NDArray[np.uint8] | None = None,
        repairs: Mapping[str, int] | None = None,
    ) -> Self:
        """Clean and wrap ragged columns; what is clean already is neither copied nor written to.

        metrics string[n], distinct; offsets int64[n+1]; timestamps int64[N] or float64[N], each row's unit judged by
        magnitude; values float64[N]; as_of int64[n] with `NO_AS_OF` where none; reasons uint8[n], rows that the caller
        gave up; repairs, points by reason that the caller dropped.
        """
        series = clean.Series(offsets, timestamps, values)
        return cls.from_series(metrics, series, as_of=as_of, reasons=reasons, repairs=repairs)

    @classmethod
    def from_series(
        cls,
        metrics: pa.Array,
        series: clean.Series,
        *,
        as_of: NDArray[np.int64] | None = None,
        reasons: NDArray[np.uint8] | None = None,
        repairs: Mapping[str, int] | None = None,
    ) -> Self:
        """As `from_columns`, for points that may be null or whose timestamps are epoch seconds by their type."""
        cleaned = clean.clean(series, reasons)
        ends = arrow(cleaned.offsets)
        columns = [
            metrics,
            pa.LargeListArray.from_arrays(ends, arrow(cleaned.timestamps)),
            pa.LargeListArray.from_arrays(ends, arrow(cleaned.values)),
            pa.nulls(len(metrics), pa.int64()) if as_of is None else arrow(as_of, as_of == NO_AS_OF),
        ]
        return cls(
            batch=pa.RecordBatch.from_arrays(columns, schema=SCHEMA),
            reasons=_frozen(cleaned.reasons),
            duplicates=_frozen(cleaned.duplicates),
            disordered=_frozen(cleaned.disordered),
            repairs=MappingProxyType(dict(Counter(repairs or {}) + cleaned.repairs)),
            newest=cleaned.newest,
        )

    @classmethod
    def empty(cls) -> Self:
        """A matrix without rows."""
        return cls.from_columns(strings([]), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0))

    @classmethod
    def from_table(cls, table: Any, labels_from: Sequence[str] | None = None) -> Self:
        """A matrix from a pyarrow Table or RecordBatch, a frame, a dict of columns, or anything that exports Arrow.

        Frames are polars' (lazy ones are collected) or pandas'.

        Long layout: one point per row, columns metric, timestamp, value, in any order of rows. List layout: one metric
        per row, timestamp and value as lists. Optional column as_of. Raises InputError when columns or types are wrong.
        `labels_from`: columns that become part of the name, `cpu{host="web1"}`; without it, a metric with two values in a
        column of text is refused, because two series would merge; an empty list passes over such columns.
        """
        from ridgeline.io.arrow.points import points_of, rows_of

        rows = rows_of(points_of(table, labels_from))
        return cls.from_series(rows.metrics, rows.series, as_of=rows.as_of, reasons=rows.reasons, repairs=rows.repairs)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The array, no longer writeable."""
    array.flags.writeable = False
    return array
