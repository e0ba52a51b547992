"""Stored values into clean columns: the decode kernel, and what its counts mean for rows and points."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io import reasons
from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.epochs import EARLIEST, LATEST
from ridgeline.io.matrix import SCHEMA, MetricMatrix
from ridgeline.io.redis.integers import integers_of
from ridgeline.io.redis.values import ABSENT, TOO_LONG, WRONG_TYPE, Part
from ridgeline.kernels.decode.layout import FLOAT64, FLOAT_SIZE, FULL, KINDS, NESTING, SHORTEST_SIZE
from ridgeline.kernels.native import loader

_REASONS: Final = {ABSENT: reasons.NO_KEY, WRONG_TYPE: reasons.WRONG_TYPE, TOO_LONG: reasons.TOO_LONG}


def decode_part(metrics: list[str], part: Part, max_points: int) -> MetricMatrix:
    """One row per metric of `part`. Of longer series the newest `max_points` points are kept."""
    starts, ends = np.array(part.starts, np.int64), np.array(part.ends, np.int64)
    why = np.zeros(len(part), np.uint8)
    for start, reason in _REASONS.items():
        why[starts == start] = reason
    decoded = _decode(part.arena.data, starts, ends)
    offsets, timestamps, values, counts = decoded.offsets, decoded.timestamps, decoded.values, decoded.counts
    repairs = Counter({kind: int(n) for kind, n in zip(KINDS, counts.sum(axis=0), strict=True) if n})
    integers = integers_of(part.arena.data, starts, ends)
    lengths = np.diff(offsets)
    empty = (why == reasons.USABLE) & (lengths == 0) & (ends > starts)
    if empty.any():
        whole = counts[:, : KINDS.index("malformed")].sum(axis=1) > 0  # pairs there were, but not of usable numbers
        why[empty] = np.where(whole[empty], reasons.NO_USABLE_POINTS, reasons.MALFORMED)
    names = strings(metrics)
    if int(lengths.max(initial=0)) > max_points:
        offsets, timestamps, values = _newest(offsets, timestamps, values, max_points, repairs)
    elif decoded.increasing and _sane(offsets, timestamps):
        return _wrap(names, decoded, why, repairs, integers)
    matrix = MetricMatrix.from_columns(names, offsets, timestamps, values, reasons=why, repairs=repairs)
    return replace(matrix, integers=integers)


def _sane(offsets: NDArray[np.int64], timestamps: NDArray[np.int64]) -> bool:
    """Whether rows whose timestamps increase hold nothing but sane seconds: their ends tell."""
    filled = np.diff(offsets) > 0
    first, last = timestamps[offsets[:-1][filled]], timestamps[offsets[1:][filled] - 1]
    return bool(first.min(initial=EARLIEST) >= EARLIEST and last.max(initial=LATEST) <= LATEST)


def _wrap(
    metrics: pa.Array,
    decoded: _Decoded,
    why: NDArray[np.uint8],
    repairs: Counter[str],
    integers: NDArray[np.uint8],
) -> MetricMatrix:
    """A matrix of rows that need no cleaning: the decoder saw that they increase and are finite."""
    offsets, timestamps = decoded.offsets, decoded.timestamps
    ends = arrow(offsets)
    columns = [
        metrics,
        pa.LargeListArray.from_arrays(ends, arrow(timestamps)),
        pa.LargeListArray.from_arrays(ends, arrow(decoded.values)),
        pa.nulls(len(metrics), pa.int64()),
    ]
    last = offsets[1:][np.diff(offsets) > 0] - 1
    none = np.zeros(len(why), np.uint8)
    return MetricMatrix(
        batch=pa.RecordBatch.from_arrays(columns, schema=SCHEMA),
        reasons=why,
        duplicates=none,
        disordered=none,
        repairs=MappingProxyType(dict(repairs)),
        newest=int(timestamps[last].max()) if len(last) else None,
        integers=integers,
    )


@dataclass(frozen=True, slots=True)
class _Decoded:
    """Columns as the kernel wrote them; `counts` int64[rows, KINDS]; `increasing`: timestamps strictly, in every row."""

    offsets: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    increasing: bool


def _decode(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> _Decoded:
    """The points of the rows `data[starts[i]:ends[i]]`; negative starts: none."""
    rows = len(starts)
    total = int((ends - starts)[starts >= 0].sum())
    offsets = np.empty(rows + 1, np.int64)
    counts = np.empty((rows, len(KINDS)), np.int64)
    disordered = np.empty(rows, np.uint8)
    stack = np.empty(NESTING, np.int64)
    decode = loader.entry("decode")
    for room in (_expected(data, starts, ends), total // SHORTEST_SIZE + 1):
        timestamps, bits = np.empty(room, np.int64), np.empty(room, np.int64)
        if decode(data, starts, ends, timestamps, bits, offsets, counts, disordered, stack) != FULL:
            break
    points = int(offsets[-1])
    return _Decoded(offsets, timestamps[:points], bits[:points].view(np.float64), counts, not disordered.any())


def _expected(data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]) -> int:
    """Points that rows hold if all are as short as their first: memory that is not needed is slow to get too."""
    filled = (starts >= 0) & (ends - starts > FLOAT_SIZE)
    first, sizes = starts[filled], (ends - starts)[filled]
    stamped = np.where(data[first + 1] == FLOAT64, 8, 4)
    valued = np.where(data[first + 2 + stamped] == FLOAT64, 8, 0)
    # A point is at least a pair's byte, two type bytes, its timestamp and its value.
    return int((sizes // (3 + stamped + valued)).sum()) + len(starts) * FLOAT_SIZE


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
