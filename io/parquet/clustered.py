"""Metrics whose rows stand together, streamed: each batch gives the metrics that are complete in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow
from ridgeline.io.arrow.layout import Layout
from ridgeline.io.arrow.points import list_points, long_points, rows_of
from ridgeline.io.arrow.runs import Runs
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.parquet.capped import capped, newest_points
from ridgeline.io.parquet.catalog import NAMELESS, Catalog
from ridgeline.io.parquet.reader import Reader
from ridgeline.io.reasons import UNREADABLE

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Held:
    """Rows of one metric that may go on in the next batch. Of more than twice `limit` points, the newest are kept."""

    def __init__(self, code: int, limit: int, *, lists: bool) -> None:
        self.code = code
        self.limit = limit
        self.lists = lists
        self.tables: list[pa.Table] = []
        self.rows = self.dropped = 0

    def add(self, rows: pa.Table) -> None:
        """More rows of the metric."""
        self.tables.append(rows)
        self.rows += len(rows)
        if self.rows > 2 * self.limit and not self.lists:
            table = pa.concat_tables(self.tables)
            self.tables = [table.take(arrow(newest_points(table, self.limit))).combine_chunks()]
            self.dropped += self.rows - self.limit
            self.rows = self.limit


class Clustered:
    """The complete metrics of a catalogue whose metrics stand together, at most `limit` points of each.

    `seen` bool[m] is set where a metric was handed out: all, unless rows could not be read.
    """

    def __init__(self, reader: Reader, catalog: Catalog, limit: int, seen: Bools) -> None:
        self._reader = reader
        self._catalog = catalog
        self._limit = limit
        self._seen = seen
        self._repairs: Counter[str] = Counter()

    def matrices(self) -> Iterator[MetricMatrix]:
        """The metrics in first-seen order."""
        held: Held | None = None
        for begin, table in self._reader.read(self._catalog.wanted_between):
            end = begin + len(table)
            codes, edges, goes_on = self._catalog.runs_between(begin, end)
            first, last = 0, len(codes) - goes_on  # the last run may have more rows in the next batch
            if held is not None and held.code == codes[0]:
                held.add(table.slice(0, int(edges[1]) - begin))
                if first == last:
                    continue
                first = 1
            if held is not None:
                yield from self._flush(held)
                held = None
            if first < last:
                whole = table.slice(int(edges[first]) - begin, int(edges[last] - edges[first]))
                yield from self._matrix(whole, codes[first:last], np.diff(edges[first : last + 1]))
            if goes_on:
                held = Held(int(codes[-1]), self._limit, lists=self._reader.common.layout.lists)
                held.add(table.slice(int(edges[-2]) - begin))
        if held is not None:
            yield from self._flush(held)
        if self._repairs:
            yield replace(MetricMatrix.empty(), repairs=dict(self._repairs))

    def _flush(self, held: Held) -> Iterator[MetricMatrix]:
        table = pa.concat_tables(held.tables).combine_chunks()
        yield from self._matrix(table, np.array([held.code]), np.array([held.rows]), held.dropped)

    def _matrix(self, table: pa.Table, codes: Ints, lengths: Ints, dropped: int = 0) -> Iterator[MetricMatrix]:
        """Runs of these codes and lengths, which are all of `table`."""
        with self._reader.decoding():
            keep = codes >= 0
            if not keep.all():
                nameless = np.repeat(codes == NAMELESS, lengths)
                if nameless.any():
                    self._repairs["null"] += points_at(table, nameless)
                table, codes, lengths = _only(table, keep, lengths), codes[keep], lengths[keep]
            if not len(codes):
                return
            self._seen[codes] = True
            names = self._catalog.names.slice(int(codes[0]), len(codes))  # first-seen order is the order of the runs
            runs = Runs(names, np.arange(len(codes)), np.append(0, np.cumsum(lengths)))
            matrix = capped(matrix_of(table, runs, self._reader.common.layout), self._limit, dropped)
            matrix = replace(matrix, repairs=Counter(matrix.repairs) + self._repairs)
            self._repairs.clear()
        yield matrix


def _only(table: pa.Table, keep: Bools, lengths: Ints) -> pa.Table:
    """The rows of the runs that are kept; copied only where others lie between them."""
    kept = np.flatnonzero(keep)
    if len(kept) and len(kept) == kept[-1] - kept[0] + 1:
        return table.slice(int(lengths[: kept[0]].sum()), int(lengths[kept].sum()))
    return table.filter(arrow(np.repeat(keep, lengths)))


def unread(names: pa.StringArray, missing: NDArray[np.bool_]) -> Iterator[MetricMatrix]:
    """The metrics without a readable point."""
    if missing.any():
        lost = names.filter(arrow(missing))
        none = np.zeros(len(lost) + 1, np.int64)
        reasons = np.full(len(lost), UNREADABLE, np.uint8)
        yield MetricMatrix.from_columns(lost, none, np.empty(0, np.int64), np.empty(0), reasons=reasons)


def matrix_of(table: pa.Table, runs: Runs, layout: Layout) -> MetricMatrix:
    """A matrix from columns without names and the runs of their rows."""
    if layout.lists:
        codes = np.repeat(runs.codes, np.diff(runs.starts))
        points = list_points(table, Runs(runs.names, codes, np.arange(len(table) + 1)), layout)
    else:
        points = long_points(table, runs, layout)
    rows = rows_of(points)
    return MetricMatrix.from_series(
        rows.metrics, rows.series, as_of=rows.as_of, reasons=rows.reasons, repairs=rows.repairs
    )


def points_at(table: pa.Table, rows: Bools) -> int:
    """Points in some rows of a table, of either layout."""
    stamps = table.column("timestamp")
    if not hasattr(stamps.type, "value_type"):
        return int(np.count_nonzero(rows))
    import pyarrow.compute as pc

    return int(pc.sum(pc.list_value_length(stamps.filter(arrow(rows)))).as_py() or 0)
