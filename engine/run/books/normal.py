"""Metrics that were found normal: `analyzer.not_anomalous_metrics`, by which Panorama ends its anomalies."""

from __future__ import annotations

from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.members import of_pair, put_set
from ridgeline.engine.run.books.past import Past
from ridgeline.engine.run.turn import Turn

NORMAL: Final = "analyzer.not_anomalous_metrics"


def write_normal(turn: Turn, judged: Judged, past: Past) -> None:  # noqa: ARG001 - what all families are given
    """Let the set hold `[metric, timestamp]` of those with a point within the fleet's stale period; it was `aet.` before."""
    analysis = turn.request.config.analysis
    period = turn.scorer.plan.profile.stale_period if analysis.stale_period is None else analysis.stale_period
    recent = judged.normal & (judged.timestamps > turn.as_of - period)
    put_set(turn, NORMAL, judged.members(recent), of_pair, previous=f"aet.{NORMAL}")
