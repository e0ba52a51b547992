"""Alerts: before anything is written."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from ridgeline.engine.alerts.store import SETTLING, Store
from ridgeline.engine.alerts.summary import Summary
from ridgeline.engine.run.looking_back import forget, look_back, remember
from ridgeline.engine.run.sinks import Illustrator
from ridgeline.engine.run.state import open_recorder, open_run_state
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.io.state.outbox import Entry, Pair, read_outbox

if TYPE_CHECKING:
    from ridgeline.engine.config.model import Config


def alert(turn: Turn) -> None:
    """Send what is to be sent, that there is no data included, and remember incidents; neither in a dry run."""
    summary = Summary()
    if not turn.request.dry_run:
        summary = _told(turn)
    turn.report.alerts = summary.counts()
    turn.waiting = summary.waiting
    turn.arrived = summary.arrived
    for problem in summary.problems():
        if summary.complete:
            turn.warn(problem)
        else:
            turn.find(PARTIAL, problem)
    illustrator = turn.sink(Illustrator)  # type: ignore[type-abstract]
    if illustrator is not None and illustrator.problem:
        turn.warn(illustrator.problem)


def _told(turn: Turn) -> Summary:
    config, budget = turn.request.config, turn.budget
    with open_run_state(config, budget.left()) as state, open_recorder(config, budget.left) as recorder:
        store = Store(state, recorder, budget.left)
        if not _tells(config) and not _anything_waits(store):
            return _untold(turn, store)
        from ridgeline.engine.run.delivering import deliver_alerts

        return deliver_alerts(turn, store)


def _tells(config: Config) -> bool:
    """Whether anybody may be told of anything."""
    return bool(config.alerts or config.external_alerts or config.stale_digest is not None)


def _anything_waits(store: Store) -> bool:
    """Whether the outbox holds alerts, of strategies that there were."""
    nothing: dict[Pair, Entry] = {}
    return bool(store.read(partial(read_outbox, most=1), nothing))


def _untold(turn: Turn, store: Store) -> Summary:
    """What delivery comes to where nobody is told, without what delivers: incidents are remembered all the same."""
    past = look_back(turn, store)
    unmatched = turn.handoffs.to_alert(turn.report.anomalies, (), store.last_alerts)
    store.settle(SETTLING)
    problem = store.problem
    remember(store, past, {})
    forget(store, past, turn.as_of)
    turn.handoffs.safe = not problem
    waiting: Counter[str] | None = None if problem else Counter()
    return Summary(unmatched=len(unmatched), state_problem=problem, waiting=waiting)
