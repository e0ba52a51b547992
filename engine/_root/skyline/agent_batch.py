"""Skyline's agent of batch analysis: checks that everything is there, then analyses in the foreground until it is told to stop.

python -c "from ridgeline.skyline.agent_batch import run; run()"
"""

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
        """Analyse each minute, on this thread. SIGTERM, SIGINT and SIGHUP end it in order (SystemExit of 128 + number)."""
        from ridgeline.engine.cli.signals import exit_on_signals

        with exit_on_signals():
            AnalyzerBatch(os.getpid()).run()


def run() -> None:
    """Check that every algorithm in force votes on a noisy series, then start the agent.

    Raises InputError where one does not, and where the configuration cannot be read.
    """
    ensure_votes()
    AnalyzerBatchAgent().run()
