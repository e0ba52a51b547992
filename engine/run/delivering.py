"""A run's alerts, given to those who deliver them, with all that a run knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ridgeline.engine.alerts.digest import remember_stale, stale_items, untold
from ridgeline.engine.alerts.external_source import Found
from ridgeline.engine.alerts.notices import no_data_items, parked_items
from ridgeline.engine.alerts.pictures import Album
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.policy.lookback import often, second_order
from ridgeline.engine.run.books.ids import anomaly_ids
from ridgeline.engine.run.hosts import owns
from ridgeline.engine.run.looking_back import forget, look_back, remember
from ridgeline.engine.run.plan import delivery_plan
from ridgeline.engine.run.sinks import Illustrator
from ridgeline.engine.run.stale import StaleSink
from ridgeline.io.errors import InputError

if TYPE_CHECKING:
    from ridgeline.engine.alerts.item import Item
    from ridgeline.engine.alerts.store import Store
    from ridgeline.engine.alerts.summary import Summary
    from ridgeline.engine.run.turn import Turn


def deliver_alerts(turn: Turn, store: Store) -> Summary:
    """Deliver what is to be told, and remember incidents. Raises InputError for strategies that cannot be used."""
    report = turn.report
    external = Found() if turn.external is None else turn.external.result()
    for problem in external.problems:
        turn.warn(problem)
    plan = _plan(turn, external.rows)
    turn.rules = plan.rows
    times = Times(turn.budget.alerts_end, turn.budget.clock, turn.wall)
    store.write(external.batch)
    past = look_back(turn, store, plan.strategies.values())
    silent = turn.sink(StaleSink)
    stale = {} if silent is None else untold(silent.found, store)
    notices = _notices(turn, plan, times.wall())
    if silent is not None:
        notices += stale_items(stale, silent.digest, plan, turn.as_of, times.wall())
    summary = deliver(
        turn.handoffs.to_alert(report.anomalies, plan.rows, store.last_alerts),
        plan,
        store,
        times,
        notices=notices,
        normal=past.normal,
        before=past.before,
        lately=past.lately,
        fleet=report.outcomes["analysed"],
        album=_album(turn),
    )
    remember(store, past, summary.noted)
    forget(store, past, turn.as_of)
    remember_stale(stale, store, 0 if silent is None else silent.period)
    turn.handoffs.safe = not summary.state_problem
    return summary


def _notices(turn: Turn, plan: Plan, now: float) -> list[Item]:
    """Alerts about ourselves."""
    notices = parked_items(turn.handoffs.batch.given_up, turn.as_of, plan, now)
    if turn.lacking is not None and turn.request.everything:
        judged = float(turn.report.outcomes["analysed"])
        notices += no_data_items(str(turn.lacking), judged, turn.as_of, plan, now)
    return notices


def _album(turn: Turn) -> Album | None:
    illustrator = turn.sink(Illustrator)  # type: ignore[type-abstract]
    return None if illustrator is None else Album(illustrator.draw, illustrator.seconds)


def _plan(turn: Turn, external: Sequence[AlertRow]) -> Plan:
    """What delivery goes by, and what this run knows of its metrics."""
    config = turn.request.config
    plan = _rules(turn, external)
    metrics = [anomaly.metric for anomaly in turn.report.anomalies]
    plan = replace(plan, m_of_n=often(config, metrics).get, second_order=second_order(config))
    plan = replace(plan, anomaly_ids=partial(anomaly_ids, turn))
    if config.shards.hosts:
        plan = replace(plan, owns=partial(owns, config.shards, turn.share), host=config.shards.name)
    return plan


def _rules(turn: Turn, external: Sequence[AlertRow]) -> Plan:
    """Who is told of what; others' rules never keep our own from being followed."""
    config, json = turn.request.config, turn.request.json
    try:
        return delivery_plan(config, external=external, json=json)
    except InputError as error:
        if not external:
            raise
        turn.warn(f"external alerts are left out: {error}")
        return delivery_plan(config, json=json)
