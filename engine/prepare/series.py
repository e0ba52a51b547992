"""Preparation of a cleaned matrix: the series that are changed before they are judged, beside those that are not."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.matrix import NO_AS_OF, SCHEMA, MetricMatrix
from ridgeline.kernels.native import loader
from ridgeline.kernels.prepare.layout import CHANGED, DERIVED, LASTED, ZEROED, prepare_room

# What a changed row is called under `prepared`; and by its bits, which of them it has.
LABELS: Final = (None, "derivative", "zero_fill", "last_known_value", "derivative+last_known_value")
_PLACES: Final = np.zeros(CHANGED + 1, np.uint8)
_PLACES[[DERIVED, ZEROED, LASTED, DERIVED | LASTED]] = range(1, len(LABELS))
GROWTH: Final = 2  # how much more room there is than was needed, where it did not suffice
KEPT: Final = 1 << 21  # points that a thread keeps room for, 32 MiB


@dataclass(frozen=True, slots=True, eq=False)
class Changed:
    """The rows of a matrix that are judged by another series than their own.

    rows     int64[k]: their places, ascending
    matrix   k rows: their considered points as they are now
    """

    rows: NDArray[np.int64]
    matrix: MetricMatrix


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A matrix ready to be judged.

    cleaned   as it came
    done      uint8[n]: what was found and done, bits as in `kernels.prepare.layout`; None where nothing was asked for
    changed   the rows that are judged by another series; None where there is none
    """

    cleaned: MetricMatrix
    done: NDArray[np.uint8] | None = None
    changed: Changed | None = None

    @property
    def metrics(self) -> pa.StringArray:
        """Base names, one per row."""
        return self.cleaned.metrics

    def judged(self, row: int) -> MetricMatrix:
        """The series of one row as it is judged: a matrix of that row alone, not copied."""
        matrix, at = self.place(row)
        return matrix.slice(at, at + 1)

    def place(self, row: int) -> tuple[MetricMatrix, int]:
        """Where the series of one row lies as it is judged: a matrix, and its row there."""
        if self.changed is not None:
            at = int(np.searchsorted(self.changed.rows, row))
            if at < len(self.changed.rows) and self.changed.rows[at] == row:
                return self.changed.matrix, at
        return self.cleaned, row

    def labels(self) -> NDArray[np.uint8]:
        """Which of `LABELS` each row has: uint8[n]."""
        if self.done is None:
            return np.zeros(len(self.cleaned), np.uint8)
        places: NDArray[np.uint8] = _PLACES[self.done & CHANGED]
        return places


def prepare(
    matrix: MetricMatrix,
    asks: NDArray[np.uint8] | None,
    as_of: NDArray[np.int64],
    windows: NDArray[np.int64],
    switches: NDArray[np.int64],
    *,
    steps: NDArray[np.int64] | None = None,
) -> Prepared:
    """Prepare every row as it is asked for.

    asks uint8[n] as `Asking.of` gives it; as_of int64[n], epoch seconds or `NO_AS_OF`; windows int64[n], seconds;
    switches as `Profile.encode` gives them; steps int64[n]: at which gaps are filled, 0 where the window is to tell.
    """
    if asks is None or not asks.any():
        return Prepared(matrix)
    rows, longest = len(matrix), int(np.diff(matrix.offsets).max(initial=0))
    done, bounds = np.zeros(rows, np.uint8), np.zeros(rows + 1, np.int64)
    entry, room = loader.entry("prepare"), _room()
    room.fit(longest, int(matrix.offsets[-1] - matrix.offsets[0]))  # enough where no gap is filled
    inputs = (matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates, as_of, windows, switches, asks)
    filling = np.zeros(rows, np.int64) if steps is None else steps
    start = 0
    while stopped := entry(*inputs, filling, done, bounds, *room.arrays, longest, start):
        start = stopped - 1
        room.grow(int(bounds[stopped]), int(bounds[start]))
    changed = np.flatnonzero(done & CHANGED)
    points = int(bounds[-1])
    if not points:
        return Prepared(matrix, done)
    return Prepared(matrix, done, _changed(matrix, changed, bounds, room.t[:points].copy(), room.x[:points].copy()))


class _Room:
    """What one thread prepares series in, kept from one matrix to the next: fresh memory costs more than the work."""

    def __init__(self) -> None:
        self.longest = -1
        self.t, self.x = np.empty(0, np.int64), np.empty(0)

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Points, and scratch."""
        return self.t, self.x, self.scratch, self.scratch_t

    def fit(self, longest: int, points: int) -> None:
        """Make room for rows of that length, and for so many points of all rows."""
        if longest > self.longest:
            self.longest = longest
            self.scratch, self.scratch_t = np.empty(prepare_room(longest)), np.empty(2 * longest, np.int64)
        if not points <= len(self.t) <= max(KEPT, points):
            self.t, self.x = np.empty(points, np.int64), np.empty(points)

    def grow(self, points: int, written: int) -> None:
        """Make room for more points than that, and keep those that are written already."""
        before_t, before_x = self.t[:written], self.x[:written]
        self.t, self.x = np.empty(GROWTH * points, np.int64), np.empty(GROWTH * points)
        self.t[:written], self.x[:written] = before_t, before_x


_rooms: Final = threading.local()


def _room() -> _Room:
    """The calling thread's."""
    room: _Room | None = getattr(_rooms, "room", None)
    if room is None:
        room = _rooms.room = _Room()
    return room


def _changed(
    matrix: MetricMatrix,
    rows: NDArray[np.int64],
    bounds: NDArray[np.int64],
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
) -> Changed:
    """The changed rows as a matrix of their own; rows between them have no points."""
    ends = arrow(bounds[np.append(rows, rows[-1] + 1)])
    names = matrix.metrics.to_pylist()
    as_of = matrix.as_of[rows]
    columns = [
        strings([names[row] for row in rows.tolist()]),
        pa.LargeListArray.from_arrays(ends, arrow(timestamps)),
        pa.LargeListArray.from_arrays(ends, arrow(values)),
        arrow(as_of, as_of == NO_AS_OF),
    ]
    return Changed(
        rows,
        replace(
            matrix,
            batch=pa.RecordBatch.from_arrays(columns, schema=SCHEMA),
            reasons=matrix.reasons[rows],
            duplicates=matrix.duplicates[rows],
            disordered=matrix.disordered[rows],
            integers=None,
        ),
    )
