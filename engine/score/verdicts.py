"""Verdicts as Arrow rows: one metric, one outcome, its votes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.rules.judgement import EXPECTED_HIGH, EXPECTED_LOW, RULE_SCORE
from ridgeline.engine.rules.user_algorithms import SCORE
from ridgeline.engine.score.graded import GRADED
from ridgeline.io.arrow.buffers import arrow, bitmap, strings
from ridgeline.io.reasons import MISSING, ROW_REASONS, USABLE
from ridgeline.kernels.score import layout
from ridgeline.kernels.score.layout import FAILED

# By code: those that kernels write, then those that no kernel sees.
OUTCOMES: Final = (*layout.OUTCOMES, "missing", "rejected", "skipped", "shed", "error")
MISSING_OUTCOME: Final = OUTCOMES.index("missing")
REJECTED_OUTCOME: Final = OUTCOMES.index("rejected")

# Reasons of a row, then those that only a verdict has.
REASONS: Final = (
    *ROW_REASONS, "direction", "min_change", "deadline", "kernel_failed", "airgaps_only", "short_history",
)  # fmt: skip
DIRECTION: Final = REASONS.index("direction")
MIN_CHANGE: Final = REASONS.index("min_change")
AIRGAPS_ONLY: Final = REASONS.index("airgaps_only")
SHORT_HISTORY: Final = REASONS.index("short_history")  # of a window of `min_window_points`, the source holds a part

_NONE: Final = pa.ListArray.from_arrays(arrow(np.zeros(1, np.int32)), strings([]))

# Where a rule goes by walks.
OF_WALKS: Final = (
    pa.field(RULE_SCORE, pa.float64()),
    pa.field("channels", pa.list_(pa.string())),
    pa.field(EXPECTED_LOW, pa.float64()),
    pa.field(EXPECTED_HIGH, pa.float64()),
)


@cache
def verdict_schema(algorithms: tuple[str, ...], *, scores: bool = False, walks: bool = False) -> pa.Schema:
    """Return the verdicts' schema for the named algorithms, in order; each with its score, and with what walks say, if asked for."""
    fields = [
        pa.field("metric", pa.string()),
        pa.field("outcome", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("anomalous", pa.bool_()),
        pa.field("datapoint", pa.float64()),
        pa.field("timestamp", pa.int64()),
        pa.field("votes", pa.int8()),
    ]
    for name in algorithms:
        fields.append(pa.field(name, pa.bool_()))
        if scores:
            fields.append(pa.field(f"{name}{SCORE}", pa.float64()))
    fields += [pa.field(name, pa.float64()) for name in GRADED if scores]
    fields += [
        *(OF_WALKS if walks else ()),
        pa.field("failed", pa.list_(pa.field("item", pa.string())), nullable=False),
        pa.field("negatives", pa.bool_()),
        pa.field("resolution", pa.int32()),
        pa.field("prepared", pa.string()),
    ]
    return pa.schema(fields)


def row_outcomes(outcomes: NDArray[np.uint8], reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the kernels' outcomes with `missing` and `rejected` where a row has a reason to have no points."""
    if not reasons.any():
        return outcomes
    missing = np.isin(reasons, tuple(MISSING))
    return np.where(reasons == USABLE, outcomes, np.where(missing, MISSING_OUTCOME, REJECTED_OUTCOME)).astype(np.uint8)


def boolean_array(values: NDArray[np.bool_], valid: NDArray[np.bool_]) -> pa.Array:
    """Return an Arrow boolean array; null where not valid."""
    return arrow(values, ~valid)


def named(codes: NDArray[Any], names: Sequence[str | None]) -> pa.Array:
    """Return the names that codes stand for, as strings; neighbours are mostly alike, so they are written run by run."""
    if names and names[0] is None and not codes.any():
        return pa.nulls(len(codes), pa.string())
    encoded = [(name or "").encode() for name in names]
    starts = np.concatenate(([0], np.flatnonzero(codes[1:] != codes[:-1]) + 1))[: len(codes)]
    lengths = np.append(starts[1:], len(codes)) - starts if len(codes) else starts
    offsets = np.zeros(len(codes) + 1, np.int32)
    np.cumsum(np.array([len(name) for name in encoded], np.int32)[codes], out=offsets[1:])
    runs = zip(codes[starts].tolist(), lengths.tolist(), strict=True)
    data = b"".join([encoded[code] * length for code, length in runs])
    absent = np.array([name is None for name in names], np.bool_)
    valid = bitmap(~absent[codes]) if absent.any() else None
    return pa.Array.from_buffers(pa.string(), len(codes), [valid, pa.py_buffer(offsets), pa.py_buffer(data)])


def failed_names(votes: NDArray[np.uint8], algorithms: Sequence[str]) -> pa.Array:
    """Return per row the names of the algorithms whose vote code is FAILED; votes uint8[n, algorithms]."""
    return chosen_names(votes == FAILED, algorithms)


def chosen_names(chosen: NDArray[np.bool_], names: Sequence[str]) -> pa.ListArray:
    """Return per row the names of the columns that are True; chosen bool[n, names]."""
    if not chosen.any():
        offsets = pa.py_buffer(np.zeros(len(chosen) + 1, np.int32))
        return pa.Array.from_buffers(_NONE.type, len(chosen), [None, offsets], children=[_NONE.values])
    rows, columns = np.nonzero(chosen)
    offsets = np.searchsorted(rows, np.arange(len(chosen) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(arrow(offsets), named(columns, names))


def verdict_batch(
    columns: dict[str, Any], algorithms: tuple[str, ...], *, scores: bool, walks: bool = False
) -> pa.RecordBatch:
    """Return the record batch of columns by name."""
    schema = verdict_schema(algorithms, scores=scores, walks=walks)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)
