"""Metrics that were found anomalous, kept for a while under the run's own epoch."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.members import of_triple, put_set
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.turn import Turn

REAL: Final = "analyzer.real_anomalous_metrics"
KEPT: Final = 900  # seconds
# Between Skyline's processes, gone when its run is over. What is there now is the residue of one that crashed.
WITHIN_A_RUN: Final = (REAL, "analyzer.anomalous_metrics", "analyzer.all_anomalous_metrics")


def write_anomalous(turn: Turn, judged: Judged, past: Past) -> None:  # noqa: ARG001 - what all families are given
    """Write `[value, metric, timestamp]` of each anomaly, and clear residue."""
    members = [f"[{one.value!r}, {one.metric!r}, {one.timestamp}]" for one in turn.report.anomalies]
    if members:
        put_set(turn, f"{REAL}.{turn.as_of}", members, of_triple, ttl=KEPT)
    turn.entries.unlink(*WITHIN_A_RUN)
