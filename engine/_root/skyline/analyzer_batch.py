"""Skyline's AnalyzerBatch: the thread that judges late and bursty metrics point by point.

    from ridgeline.skyline.analyzer_batch import AnalyzerBatch

    analyzer = AnalyzerBatch(os.getpid())
    analyzer.start()

Each cycle is one `ridgeline batch`, by the configuration that `RIDGELINE_CONFIG` names, else `ridgeline.toml` in the
working directory, else the defaults; what goes wrong in it is told on standard error, and costs no later cycle.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.api.found import found_config
from ridgeline.engine.score.pairs import shown
from ridgeline.io.errors import InputError
from ridgeline.skyline._worker import Worker, say

if TYPE_CHECKING:
    from ridgeline.engine.batch.summary import Summary
    from ridgeline.engine.config.model import Config

__all__ = ["AnalyzerBatch"]

PERIOD: Final = 60.0  # seconds from the start of a cycle to that of the next
WIDTH: Final = 3  # elements of an item of work, at most


class AnalyzerBatch(Worker):
    """Analyses while the process `parent_pid` lives. `summary`: what the newest cycle did; None before the first."""

    def __init__(self, parent_pid: int) -> None:
        super().__init__(parent_pid)
        self.summary: Summary | None = None

    def spin_batch_process(
        self,
        i: int,
        run_timestamp: float,
        metric_name: str,
        last_analyzed_timestamp: int,
        batch: Sequence[Any] = [],
    ) -> bool:
        """Judge and record what is new of a metric, or of those in `batch`: [metric, last analysed timestamp(, flag)].

        Metrics with or without the namespace. The recorded watermark goes before what is given here. True: it was done;
        what went wrong with some of it is told on standard error. Raises RidgelineError where nothing can be read, and
        where another pass is at work.
        """
        items = batch or [[metric_name, last_analyzed_timestamp, None]]
        members = tuple(_member(item) for item in items)
        summary = _work(found_config(), members, _seconds(run_timestamp))
        for problem in summary.problems:
            say(problem)
        return True

    def run(self) -> None:
        """Analyse each minute until the parent is gone. Called rather than started, it does so on the caller's thread."""
        self.repeat(self._cycle, PERIOD)

    def _cycle(self) -> None:
        self.cycle(self._analyse)

    def _analyse(self, config: Config) -> Summary:
        self.summary = _work(config)
        return self.summary


def _work(config: Config, members: tuple[str, ...] = (), now: float | None = None) -> Summary:
    import time

    from ridgeline.engine.batch.once import batch_once
    from ridgeline.engine.batch.turn import Request

    return batch_once(Request(config, members=members), now=time.time if now is None else lambda: now)


def _member(item: Any) -> str:
    """An item of work as the queue would hold it. Raises InputError for what is none."""
    usable = isinstance(item, list | tuple) and 1 < len(item) <= WIDTH
    if not usable or not isinstance(item[0], str) or not item[0]:
        raise InputError(f"{shown(item)} is no item of work: give [metric, last analysed timestamp]")
    return str([item[0], int(_seconds(item[1])), *item[2:]])


def _seconds(given: Any) -> float:
    try:
        seconds = float(given)
        int(seconds)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{shown(given)} is no timestamp") from None
    return seconds
