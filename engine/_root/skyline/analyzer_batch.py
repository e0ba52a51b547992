"""Skyline's AnalyzerBatch: the thread that judges late and bursty metrics point by point.

Its part of the engine is not in this version: what needs it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

from ridgeline.skyline._worker import Worker, lacking

__all__ = ["AnalyzerBatch"]

NEEDS: Final = "batch analysis"


class AnalyzerBatch(Worker):
    """Would analyse while the process `parent_pid` lives."""

    def spin_batch_process(
        self,
        i: int,
        run_timestamp: int,
        metric_name: str,
        last_analyzed_timestamp: int,
        batch: Sequence[Any] = [],
    ) -> NoReturn:
        """Raise InputError: there is no batch analysis yet."""
        raise lacking("AnalyzerBatch.spin_batch_process", NEEDS)

    def run(self) -> NoReturn:
        """Raise InputError: there is no batch analysis yet."""
        raise lacking("AnalyzerBatch.run", NEEDS)
