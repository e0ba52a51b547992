"""What takes a scorer's place where series are only read and looked at, and nothing is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from ridgeline.engine.prepare.series import Prepared
from ridgeline.engine.score.future import leads
from ridgeline.engine.score.plan import BLOCK_ROWS, ScorePlan
from ridgeline.engine.score.scorer import Assigned, Scored
from ridgeline.engine.score.verdicts import (
    AIRGAPS_ONLY,
    OUTCOMES,
    REASONS,
    failed_names,
    named,
    row_outcomes,
    verdict_schema,
)
from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.score.layout import EMPTY

SKIPPED: Final = OUTCOMES.index("skipped")


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Gives every metric that has points the outcome `skipped`, and no vote of the `algorithms`; `as_of` epoch seconds."""

    as_of: int
    threads: int
    algorithms: tuple[str, ...]
    at_once: int = BLOCK_ROWS

    def assign(self, matrix: MetricMatrix) -> Assigned:  # noqa: ARG002 - the interface of scorers
        """No row goes by any policy."""
        return Assigned((), None)

    def judge(self, matrix: MetricMatrix, assigned: Assigned | None = None, *, threads: int | None = None) -> Scored:  # noqa: ARG002 - the interface of scorers
        """One verdict per row, without a vote: what reading it found."""
        rows = len(matrix)
        read = np.where(np.diff(matrix.offsets) == 0, EMPTY, SKIPPED).astype(np.uint8)
        outcomes = row_outcomes(read, matrix.reasons)
        reasons = np.where(outcomes == SKIPPED, AIRGAPS_ONLY, matrix.reasons)
        known = {
            "metric": matrix.metrics,
            "outcome": named(outcomes, OUTCOMES),
            "reason": named(reasons, (None, *REASONS[1:])),
            "failed": failed_names(np.empty((rows, 0), np.uint8), ()),
        }
        schema = verdict_schema(self.algorithms)
        columns = [known.get(field.name, pa.nulls(rows, field.type)) for field in schema]
        verdicts = pa.RecordBatch.from_arrays(columns, schema=schema)
        return Scored(verdicts, Prepared(matrix), {}, leads(matrix, np.full(rows, self.as_of, np.int64)))


def unjudged(matrix: MetricMatrix, rows: Sequence[int], reason: str, plan: ScorePlan) -> pa.RecordBatch:
    """Verdicts `skipped` on some rows that were read and have points, with the newest of each."""
    names, newest = matrix.metrics.to_pylist(), (matrix.offsets[1:] - 1).tolist()
    found = [
        {
            "metric": names[row],
            "outcome": "skipped",
            "reason": reason,
            "datapoint": float(matrix.values[newest[row]]),
            "timestamp": int(matrix.timestamps[newest[row]]),
            "failed": [],
        }
        for row in rows
    ]
    return pa.RecordBatch.from_pylist(found, verdict_schema(plan.names, scores=plan.scores, walks=plan.walks))
