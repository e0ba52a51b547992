"""New points on their way into an archive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.archive.select import unknown
from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.arrow.runs import points_in

if TYPE_CHECKING:
    from ridgeline.engine.archive.archive import Archive
    from ridgeline.io.matrix import MetricMatrix

Ints = NDArray[np.int64]
SCHEMA: Final = pa.schema(
    [
        pa.field("metric", pa.string(), nullable=False),
        pa.field("timestamp", pa.int64(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Points of some metrics: `names` string[n], distinct; `lengths` int64[n]; their points one metric after the other."""

    names: pa.StringArray
    lengths: Ints
    stamps: Ints
    values: NDArray[np.float64]

    @property
    def owners(self) -> Ints:
        """The place of each point's metric."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def where(self, chosen: NDArray[np.bool_]) -> Piece:
        """Only those of its points, of all its metrics."""
        lengths = np.bincount(self.owners[chosen], minlength=len(self.lengths)).astype(np.int64)
        return Piece(self.names, lengths, self.stamps[chosen], self.values[chosen])

    def table(self) -> pa.Table:
        """A row for each point."""
        names = pa.DictionaryArray.from_arrays(arrow(self.owners.astype(np.int32)), self.names).cast(pa.string())
        return pa.Table.from_arrays([names, arrow(self.stamps), arrow(self.values)], schema=SCHEMA)


def piece_of(matrix: MetricMatrix) -> Piece:
    """All points of a matrix."""
    offsets = matrix.offsets
    points = slice(int(offsets[0]), int(offsets[-1]))
    return Piece(matrix.metrics, np.diff(offsets), matrix.timestamps[points], matrix.values[points])


def cut(matrix: MetricMatrix, rows: Ints, begins: Ints, ends: Ints) -> Piece:
    """A copy of the points from `begins` to `ends` of some rows: a view would keep the whole block in memory."""
    lengths = ends - begins
    at = points_in(begins, lengths)
    every = matrix.metrics.to_pylist() if len(rows) < len(matrix) else None
    names = matrix.metrics if every is None else strings(every[row] for row in rows.tolist())
    return Piece(names, lengths, matrix.timestamps[at], matrix.values[at])


def joined(pieces: list[Piece]) -> Piece:
    """The pieces as one; no metric may be in two of them."""
    return Piece(
        pa.concat_arrays([piece.names for piece in pieces]),
        np.concatenate([piece.lengths for piece in pieces]),
        np.concatenate([piece.stamps for piece in pieces]),
        np.concatenate([piece.values for piece in pieces]),
    )


def not_archived(archive: Archive, piece: Piece, left: Callable[[], float] | None = None) -> Piece:
    """The points of a piece that the archive lacks: a timestamp is there once. Raises InputError, SourceUnavailable."""
    if not len(piece.stamps):
        return piece
    names = piece.names.to_pylist()
    place = {name: at for at, name in enumerate(names)}
    owners, stamps = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for matrix in archive.known(frozenset(names), int(piece.stamps.min()), left):
        held = piece_of(matrix)
        owners.append(np.array([place[name] for name in held.names.to_pylist()], np.int64)[held.owners])
        stamps.append(held.stamps)
    return piece.where(unknown(piece.owners, piece.stamps, np.concatenate(owners), np.concatenate(stamps)))
