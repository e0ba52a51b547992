"""Decoded values as clean columns: what the decode kernel's counts mean for rows and points."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io import reasons
from ridgeline.io.arrow.buffers import arrow, strings
from ridgeline.io.epochs import EARLIEST, LATEST
from ridgeline.io.matrix import SCHEMA, MetricMatrix
from ridgeline.io.redis.block import TOO_LONG, WRONG_TYPE, Block
from ridgeline.kernels.decode.layout import ABSENT, KINDS

_REASONS: Final = {ABSENT: reasons.NO_KEY, WRONG_TYPE: reasons.WRONG_TYPE, TOO_LONG: reasons.TOO_LONG}


def matrix_of(metrics: list[str], block: Block, max_points: int) -> MetricMatrix:
    """One row per metric of `block`, whose columns it takes over. Of longer series the newest `max_points` points are kept."""
    rows = len(block)
    offsets, sizes = block.offsets[: rows + 1], block.sizes[:rows]
    timestamps, values = block.timestamps[: offsets[-1]], block.bits[: offsets[-1]].view(np.float64)
    dropped, integers = block.dropped[:rows], block.integers[:rows]
    why = np.zeros(rows, np.uint8)
    for size, reason in _REASONS.items():
        why[sizes == size] = reason
    repairs = Counter({kind: int(n) for kind, n in zip(KINDS, dropped.sum(axis=0), strict=True) if n})
    lengths = np.diff(offsets)
    empty = (lengths == 0) & (sizes > 0)
    if empty.any():
        whole = dropped[:, : KINDS.index("malformed")].sum(axis=1) > 0  # pairs there were, but not of usable numbers
        why[empty] = np.where(whole[empty], reasons.NO_USABLE_POINTS, reasons.MALFORMED)
    names = strings(metrics)
    if int(lengths.max(initial=0)) > max_points:
        offsets, timestamps, values = _newest(offsets, timestamps, values, max_points, repairs)
    elif not block.disordered[:rows].any() and _sane(offsets, timestamps):
        return _wrap(names, offsets, timestamps, values, why, repairs, integers)
    matrix = MetricMatrix.from_columns(names, offsets, timestamps, values, reasons=why, repairs=repairs)
    return replace(matrix, integers=integers)


def _sane(offsets: NDArray[np.int64], timestamps: NDArray[np.int64]) -> bool:
    """Whether rows whose timestamps increase hold nothing but sane seconds: their ends tell."""
    filled = np.diff(offsets) > 0
    first, last = timestamps[offsets[:-1][filled]], timestamps[offsets[1:][filled] - 1]
    return bool(first.min(initial=EARLIEST) >= EARLIEST and last.max(initial=LATEST) <= LATEST)


def _wrap(
    metrics: pa.Array,
    offsets: NDArray[np.int64],
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
    why: NDArray[np.uint8],
    repairs: Counter[str],
    integers: NDArray[np.uint8],
) -> MetricMatrix:
    """A matrix of rows that need no cleaning: the decoder saw that they increase and are finite."""
    ends = arrow(offsets)
    columns = [
        metrics,
        pa.LargeListArray.from_arrays(ends, arrow(timestamps)),
        pa.LargeListArray.from_arrays(ends, arrow(values)),
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
