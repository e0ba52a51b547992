"""Metrics that operators of Skyline took out of the analysis for a while, through its API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ridgeline.io.redis.ledger import Books, Fields
from ridgeline.io.redis.until import until
from ridgeline.io.state.interface import StateError

SKIPS: Final = "metrics_manager.api_skip_analysis"


class OperatorSkips:
    """The metrics that are skipped at `now` (the wall clock, epoch seconds), asked for when first wanted.

    `failed` is told what kept them from being known; then none is skipped.
    """

    def __init__(self, ledger: Books, now: int, failed: Callable[[StateError], None]) -> None:
        self._ledger, self._now, self._failed = ledger, now, failed

    def __call__(self) -> frozenset[str]:
        """Ask."""
        try:
            (found,) = self._ledger.ask(Fields(SKIPS))
        except StateError as error:
            self._failed(error)
            return frozenset()
        return frozenset(metric for metric, end in found.items() if until(end) > self._now)
