"""Skyline's Analyzer: a thread that judges the whole fleet each minute, alerts, and keeps the books.

    from ridgeline.skyline.analyzer import Analyzer

    analyzer = Analyzer(os.getpid())
    analyzer.start()

Each cycle is one `ridgeline run`, by the configuration that `RIDGELINE_CONFIG` names, else `ridgeline.toml` in the working
directory, else the defaults; what goes wrong in it is told on standard error, and costs no later cycle.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from ridgeline.alerters import Outcome
from ridgeline.engine.api.found import found_config
from ridgeline.engine.score.pairs import shown
from ridgeline.io.errors import InputError
from ridgeline.skyline._worker import Worker
from ridgeline.skyline.alerters import trigger_alert

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config
    from ridgeline.engine.report.summary import Report

__all__ = ["Analyzer"]

PERIOD: Final = 60.0  # seconds from the start of a cycle to that of the next: Skyline's ANALYZER_OPTIMUM_RUN_DURATION


class Analyzer(Worker):
    """Analyses while the process `parent_pid` lives. `report`: what the newest cycle found; None before the first."""

    def __init__(self, parent_pid: int) -> None:
        super().__init__(parent_pid)
        self.report: Report | None = None

    def uniq_datapoints(self, timeseries: Iterable[Any]) -> list[Any]:
        """The points without exact repeats: of equal ones the first stays, and their order is kept."""
        seen = set()
        unique = []
        try:
            points = enumerate(timeseries)
        except TypeError:
            raise InputError(f"{shown(timeseries)} is no series: a list of points is wanted") from None
        for at, point in points:
            try:
                # A NaN is not equal to itself: Python would tell two of them apart.
                mark = tuple("nan" if isinstance(item, float) and math.isnan(item) else item for item in point)
                known = mark in seen
            except TypeError as error:
                raise InputError(f"item {at} of the series is {shown(point)}: a pair is wanted") from error
            if not known:
                seen.add(mark)
                unique.append(point)
        return unique

    def spawn_alerter_process(self, alert: Any, metric: Any, context: Any) -> Outcome:
        """Send one alert, as `ridgeline.skyline.alerters.trigger_alert`; what must be apart from us is started there."""
        return trigger_alert(alert, metric, context)

    def spin_process(self, i_process: int, unique_metrics: Any) -> Report:
        """Judge the metrics, with or without the namespace, that are this process' share: no alert, and nothing written.

        There is one process, whose threads share the work: the first has all metrics, any other none. Raises
        RidgelineError where nothing can be read.
        """
        from ridgeline.engine.run.once import run_once
        from ridgeline.engine.run.turn import Request

        if isinstance(unique_metrics, str | bytes) or not isinstance(unique_metrics, Iterable):
            raise InputError(f"unique_metrics is {shown(unique_metrics)}: give a list of names")
        config = found_config()
        mine = unique_metrics if i_process == 1 else ()
        return run_once(Request(config, only=_base_names(mine, config), dry_run=True, json=True))

    def run(self) -> None:
        """Analyse each minute until the parent is gone. Called rather than started, it does so on the caller's thread."""
        self.repeat(self._cycle, PERIOD)

    def _cycle(self) -> None:
        self.cycle(self._analyse)

    def _analyse(self, config: Config) -> Report:
        from ridgeline.engine.run.once import run_once
        from ridgeline.engine.run.turn import Request

        self.report = run_once(Request(config))
        return self.report


def _base_names(metrics: Iterable[str | bytes], config: Config) -> frozenset[str]:
    """Names as verdicts have them."""
    namespace = config.source.each["redis"].namespace
    texts = (name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else str(name) for name in metrics)
    return frozenset(text.removeprefix(namespace) for text in texts)
