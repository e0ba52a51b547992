"""Alerts: before anything is written."""

from __future__ import annotations

from ridgeline.engine.alerts.notices import no_data_items
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.strategy import build_strategies
from ridgeline.engine.alerts.summary import Summary
from ridgeline.engine.run.state import open_recorder, open_run_state
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
    request, config, report, budget = turn.request, turn.request.config, turn.report, turn.budget
    used = [strategy for row in config.alerts for strategy in row.strategies]
    plan = Plan(
        config.alerts,
        build_strategies(config.alerters.settings, used, json=request.json),
        config.delivery,
        config.links,
        config.analysis.full_duration,
    )
    times = Times(budget.alerts_end, budget.clock)
    notices = []
    if turn.lacking is not None and request.match is None:
        judged = float(report.outcomes["analysed"])
        notices = no_data_items(str(turn.lacking), judged, turn.as_of, plan, times.wall())
    with open_run_state(config, budget.left()) as state, open_recorder(config, budget.left) as recorder:
        store = Store(state, recorder, budget.left)
        return deliver(report.anomalies, plan, store, times, notices=notices, fleet=report.outcomes["analysed"])
