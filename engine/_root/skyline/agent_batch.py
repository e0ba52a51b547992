"""Skyline's agent of batch analysis. What it starts is not in this version, and says so."""

from __future__ import annotations

import os

from ridgeline.skyline._start import ensure_resources, ensure_votes
from ridgeline.skyline.analyzer_batch import AnalyzerBatch

__all__ = ["AnalyzerBatchAgent", "run"]


class AnalyzerBatchAgent:
    """An agent whose folders exist, as `ridgeline doctor` looks at them. Raises OutputError where one cannot."""

    def __init__(self) -> None:
        ensure_resources()

    def run(self) -> None:
        """Start batch analysis: raises InputError, as `AnalyzerBatch.run`."""
        AnalyzerBatch(os.getpid()).run()


def run() -> None:
    """Check that every algorithm in force votes on a noisy series, then start the agent."""
    ensure_votes()
    AnalyzerBatchAgent().run()
