"""Verdicts as Arrow rows: one metric, one outcome, its votes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.reasons import MISSING, ROW_REASONS, USABLE

# Kernels write the first five by position (`kernels.score.outcome`).
OUTCOMES: Final = (
    "analysed", "empty", "too_short", "stale", "boring", "missing", "rejected", "skipped", "shed", "error",
)  # fmt: skip
ANALYSED: Final = 0
MISSING_OUTCOME: Final = OUTCOMES.index("missing")
REJECTED_OUTCOME: Final = OUTCOMES.index("rejected")

# Reasons of a row, then those that only a verdict has.
REASONS: Final = (*ROW_REASONS, "direction", "min_change", "deadline", "kernel_failed")
DIRECTION: Final = REASONS.index("direction")
MIN_CHANGE: Final = REASONS.index("min_change")

# Vote codes of the kernels.
FALSE, TRUE, NULL, FAILED = 0, 1, 2, 3


def verdict_schema(algorithms: Sequence[str], *, scores: bool = False) -> pa.Schema:
    """Return the verdicts' schema for the named algorithms, in order; each with its score if asked for."""
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
            fields.append(pa.field(f"{name}_score", pa.float64()))
    fields.append(pa.field("failed", pa.list_(pa.field("item", pa.string())), nullable=False))
    return pa.schema(fields)


def row_outcomes(outcomes: NDArray[np.uint8], reasons: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the kernels' outcomes with `missing` and `rejected` where a row has a reason to have no points."""
    missing = np.isin(reasons, tuple(MISSING))
    return np.where(reasons == USABLE, outcomes, np.where(missing, MISSING_OUTCOME, REJECTED_OUTCOME)).astype(np.uint8)


def boolean_array(values: NDArray[np.bool_], valid: NDArray[np.bool_] | None) -> pa.Array:
    """Return an Arrow boolean array; null where not valid."""
    buffers = [None if valid is None else _bits(valid), _bits(values)]
    return pa.Array.from_buffers(pa.bool_(), len(values), buffers)


def named(codes: NDArray[np.uint8], names: Sequence[str | None]) -> pa.Array:
    """Return the names that codes stand for, as strings."""
    return pa.array(names, pa.string()).take(pa.array(codes))


def failed_names(votes: NDArray[np.uint8], algorithms: Sequence[str]) -> pa.Array:
    """Return per row the names of the algorithms whose vote code is FAILED; votes uint8[n, algorithms]."""
    rows, columns = np.nonzero(votes == FAILED)
    offsets = np.searchsorted(rows, np.arange(len(votes) + 1)).astype(np.int32)
    values = named(columns.astype(np.uint8), tuple(algorithms))
    return pa.ListArray.from_arrays(pa.array(offsets), values)


def verdict_batch(columns: dict[str, Any], algorithms: Sequence[str], *, scores: bool) -> pa.RecordBatch:
    """Return the record batch of columns by name."""
    schema = verdict_schema(algorithms, scores=scores)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _bits(values: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))
