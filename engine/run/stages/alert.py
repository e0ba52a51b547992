"""Alerts: before anything is written."""

from __future__ import annotations

import itertools

from ridgeline.engine.alerts.match import match_rows
from ridgeline.engine.alerts.no_data import no_data_items
from ridgeline.engine.alerts.pipeline import Summary, deliver_items
from ridgeline.engine.alerts.strategy import build_strategies
from ridgeline.engine.run.state import open_run_state
from ridgeline.engine.run.turn import PARTIAL, Turn


def alert(turn: Turn) -> None:
    """Send what is to be sent, that there is no data included; nothing in a dry run."""
    summary = Summary()
    if not turn.request.dry_run and turn.request.config.alerts:
        summary = _deliver(turn)
    turn.report.alerts = summary.counts()
    for problem in summary.problems():
        if summary.complete:
            turn.warn(problem)
        else:
            turn.find(PARTIAL, problem)


def _deliver(turn: Turn) -> Summary:
    request, config, report = turn.request, turn.request.config, turn.report
    items = match_rows(report.anomalies, config.alerts, config.analysis.full_duration)
    if turn.lacking is not None and request.match is None:
        judged = float(report.outcomes["analysed"])
        about = no_data_items(str(turn.lacking), judged, turn.as_of, config.alerts, config.delivery.no_data_expiration)
        items = itertools.chain(about, items)
    used = [strategy for row in config.alerts for strategy in row.strategies]
    strategies = build_strategies(config.alerters.settings, used, json=request.json)
    with open_run_state(config) as state:
        return deliver_items(items, strategies, state, deadline=turn.budget.alerts_end, clock=turn.budget.clock)
