"""Remembers every series that a run read whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ridgeline.engine.memory.anchor import Anchor
from ridgeline.engine.memory.assignment import is_whole
from ridgeline.engine.run.settled import Settled
from ridgeline.engine.run.sinks import Series

if TYPE_CHECKING:
    from ridgeline.engine.run.following import Following
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.turn import Turn


@dataclass(slots=True)
class AnchorSink:
    """Anchors rows anew; `rows`: by name, of the metrics that are read. `many`: they are most of the fleet."""

    memory: Remembered
    anchor: Anchor
    following: Following
    rows: Mapping[str, int]
    many: bool
    wants_series: bool = True
    wants_all: bool = False

    def take(self, matrix: Series | None, verdicts: pa.RecordBatch) -> None:  # noqa: ARG002 - the interface of sinks
        """Anchor the rows of the block."""
        if matrix is None or matrix.judged is None:
            return
        series = matrix.cleaned
        rows = np.array([self.rows.get(name, -1) for name in series.metrics.to_pylist()], np.int64)
        odd = is_whole(self.memory.assignment[np.maximum(rows, 0)]) | (series.disordered > 0)
        self.anchor.take(matrix.prepared, matrix.judged, rows, odd, many=self.many)
        self.following.anchor(series, rows)
        self.memory.changed[rows[rows >= 0]] = True

    def settle(self, settled: Settled) -> None:
        """They are remembered already."""

    def finish(self, turn: Turn) -> None:
        """Nothing is written here: the memory is written last of all."""
