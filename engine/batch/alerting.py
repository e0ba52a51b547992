"""Without Redis there is no `run` that alerts on what `batch` finds: then `batch` does, by the ordinary delivery."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ridgeline.engine.alerts.notices import parked_items
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.run.handoffs.batch_alerts import ALERTS, read_batch_alerts
from ridgeline.engine.run.plan import delivery_plan
from ridgeline.engine.run.state import open_recorder, open_run_state
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.redis.entries import Entries

if TYPE_CHECKING:
    from ridgeline.engine.batch.turn import Turn


def alert(turn: Turn, state: Path, *, json: bool) -> None:
    """Alert on what was found, by its own timestamps, on what waits from passes before, and on metrics that are left alone.

    Of one metric an anomaly at a time: whether the next one is news depends on what was told of this one. Raises StateError.
    """
    plan = delivery_plan(turn.config, json=json)
    while _round(turn, state, plan) and turn.left() > 0:
        pass


def _round(turn: Turn, state: Path, plan: Plan) -> bool:
    """One delivery; whether another one has something to do."""
    config = replace(turn.config, output=replace(turn.config.output, state=state))
    waiting = read_batch_alerts(turn.ledger)
    with open_run_state(config, turn.left()) as opened, open_recorder(config, turn.left) as recorder:
        store = Store(opened, recorder, turn.left)
        due, settled = waiting.due(plan.rows, set(), store.last_alerts)
        times = Times(time.monotonic() + max(turn.left(), 0.0), wall=turn.wall)
        notices = parked_items(waiting.given_up, turn.now, plan, times.wall())
        told = deliver(due, plan, store, times, notices=notices)
        problem = told.state_problem or store.problem
    for sentence in told.problems():
        if told.complete:
            turn.summary.problems.append(sentence)
        else:
            turn.summary.find(PARTIAL, sentence)
    if problem:
        return False
    changes = Entries()
    changes.drop(ALERTS, settled)
    turn.ledger.write(changes)
    return bool(due) and len(settled) < len(waiting.fields)
