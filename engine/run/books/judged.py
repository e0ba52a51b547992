"""What a run found of every metric that it read, as columns over the whole fleet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.io.arrow.buffers import nulls, view

COLUMNS: Final = ("metric", "outcome", "anomalous", "timestamp")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One entry per metric, in the order of the source.

    normal       bool[n]: analysed, and not anomalous
    timestamps   int64[n]: of the newest point, epoch seconds; 0 where there is none
    """

    metrics: list[str]
    outcomes: list[str]
    normal: NDArray[np.bool_]
    timestamps: NDArray[np.int64]

    @classmethod
    def of(cls, batches: Iterable[pa.RecordBatch]) -> Judged:
        """Gather `COLUMNS` of verdicts, whose order is the source's."""
        metrics: list[str] = []
        outcomes: list[str] = []
        anomalous: list[bool | None] = []
        stamps = [np.empty(0, np.int64)]
        for batch in batches:
            metrics += batch.column("metric").to_pylist()
            outcomes += batch.column("outcome").to_pylist()
            anomalous += batch.column("anomalous").to_pylist()
            column = batch.column("timestamp")
            absent = nulls(column)
            stamps.append(view(column) if absent is None else np.where(absent, 0, view(column)))
        normal = np.array([found is False for found in anomalous], np.bool_)
        return cls(metrics, outcomes, normal, np.concatenate(stamps))

    def with_outcome(self, outcome: str) -> list[str]:
        """The metrics that came out so."""
        return [metric for metric, found in zip(self.metrics, self.outcomes, strict=True) if found == outcome]

    def where(self, chosen: NDArray[np.bool_]) -> Iterable[tuple[str, int]]:
        """(metric, newest timestamp) of the chosen ones, bool[n]."""
        rows = np.flatnonzero(chosen)
        return zip([self.metrics[row] for row in rows.tolist()], self.timestamps[rows].tolist(), strict=True)
