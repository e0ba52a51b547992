"""Stored values into clean columns: the decode kernel, and what its counts mean for rows and points."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io import reasons
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis_values import ABSENT, TOO_LONG, WRONG_TYPE, Part
from ridgeline.kernels import _native

# As `ridgeline.kernels.decode.items` numbers them; that module needs numba, which a warm start does not import.
KINDS: Final = ("null", "non_numeric", "non_finite", "bad_timestamp", "malformed", "truncated")
_NESTING: Final = 1024
_FULL: Final = 1
_SMALLEST: Final = (15, 3)  # bytes per point: of the usual layouts, of any


def decode_part(metrics: list[str], part: Part, max_points: int) -> MetricMatrix:
    """One row per metric of `part`. Of longer series the newest `max_points` points are kept."""
    starts, ends = np.array(part.starts, np.int64), np.array(part.ends, np.int64)
    why = np.zeros(len(part), np.uint8)
    why[starts == ABSENT] = reasons.NO_KEY
    why[starts == WRONG_TYPE] = reasons.WRONG_TYPE
    why[starts == TOO_LONG] = reasons.TOO_LONG
    offsets, timestamps, values, counts = _decode(part.arena.data, starts, ends)
    lost = counts.sum(axis=0)
    repairs = Counter({kind: int(n) for kind, n in zip(KINDS, lost, strict=True) if n})
    empty = (why == reasons.USABLE) & (np.diff(offsets) == 0) & (ends > starts)
    if empty.any():
        whole = counts[:, : KINDS.index("malformed")].any(axis=1)  # pairs there were, but not of usable numbers
        why[empty] = np.where(whole[empty], reasons.NO_USABLE_POINTS, reasons.MALFORMED)
    if len(part) and int(np.diff(offsets).max()) > max_points:
        offsets, timestamps, values = _newest(offsets, timestamps, values, max_points, repairs)
    return MetricMatrix.from_columns(
        pa.array(metrics, pa.string()), offsets, timestamps, values, reasons=why, repairs=repairs
    )


def _decode(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """(offsets, timestamps, values, counts[rows, KINDS]) of the rows `data[starts[i]:ends[i]]`; negative starts: none."""
    rows = len(starts)
    total = int((ends - starts)[starts >= 0].sum())
    offsets = np.empty(rows + 1, np.int64)
    counts = np.empty((rows, len(KINDS)), np.int64)
    disordered = np.empty(rows, np.uint8)
    stack = np.empty(_NESTING, np.int64)
    for smallest in _SMALLEST:
        timestamps, bits = np.empty(total // smallest + 1, np.int64), np.empty(total // smallest + 1, np.int64)
        if _native.entry("decode")(data, starts, ends, timestamps, bits, offsets, counts, disordered, stack) != _FULL:
            break
    points = int(offsets[-1])
    return offsets, timestamps[:points], bits[:points].view(np.float64), counts


def _newest(
    offsets: NDArray[np.int64],
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
    max_points: int,
    repairs: Counter[str],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The same rows with at most `max_points` points each: the newest by time, in the order they came."""
    keep = np.ones(len(timestamps), np.bool_)
    for row in np.flatnonzero(np.diff(offsets) > max_points):
        first, last = int(offsets[row]), int(offsets[row + 1])
        order = np.argsort(timestamps[first:last], kind="stable")
        keep[first + order[: last - first - max_points]] = False
        repairs["beyond_max_points"] += last - first - max_points
    lengths = np.minimum(np.diff(offsets), max_points)
    return np.concatenate(([0], np.cumsum(lengths))), timestamps[keep], values[keep]
