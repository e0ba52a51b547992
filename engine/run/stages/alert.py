"""Alerts: before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from ridgeline.engine.alerts.digest import remember_stale, stale_items, untold
from ridgeline.engine.alerts.external_source import Found
from ridgeline.engine.alerts.lately import Lately
from ridgeline.engine.alerts.lately_table import drop_lately, outdated, read_lately, write_lately
from ridgeline.engine.alerts.notices import no_data_items, parked_items
from ridgeline.engine.alerts.pictures import Album
from ridgeline.engine.alerts.pipeline import Times, deliver
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.alerts.second_order import out_of_rhythm
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.summary import Summary
from ridgeline.engine.policy.lookback import kept_runs, looked_at, often, second_order
from ridgeline.engine.run.books.ids import anomaly_ids
from ridgeline.engine.run.hosts import owns
from ridgeline.engine.run.lately import LatelySink
from ridgeline.engine.run.plan import delivery_plan
from ridgeline.engine.run.sinks import Illustrator
from ridgeline.engine.run.stale import StaleSink
from ridgeline.engine.run.state import open_recorder, open_run_state
from ridgeline.engine.run.turn import PARTIAL, Turn
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.errors import InputError
from ridgeline.io.state.batch import Batch


def alert(turn: Turn) -> None:
    """Send what is to be sent, that there is no data included, and remember incidents; neither in a dry run."""
    summary = Summary()
    if not turn.request.dry_run:
        summary = _deliver(turn)
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


def _deliver(turn: Turn) -> Summary:
    request, config, report, budget = turn.request, turn.request.config, turn.report, turn.budget
    external = Found() if turn.external is None else turn.external.result()
    for problem in external.problems:
        turn.warn(problem)
    plan = _plan(turn, external.rows)
    metrics = [anomaly.metric for anomaly in report.anomalies]
    plan = replace(plan, m_of_n=often(config, metrics).get, second_order=second_order(config))
    plan = replace(plan, anomaly_ids=partial(anomaly_ids, turn))
    if config.shards.hosts:
        plan = replace(plan, owns=partial(owns, config.shards, turn.share), host=config.shards.name)
    turn.rules = plan.rows
    times = Times(budget.alerts_end, budget.clock, turn.wall)
    notices = parked_items(turn.handoffs.batch.given_up, turn.as_of, plan, times.wall())
    if turn.lacking is not None and request.everything:
        judged = float(report.outcomes["analysed"])
        notices += no_data_items(str(turn.lacking), judged, turn.as_of, plan, times.wall())
    with open_run_state(config, budget.left()) as state, open_recorder(config, budget.left) as recorder:
        store = Store(state, recorder, budget.left)
        store.write(external.batch)
        before, normal, lately = _look_back(turn, store, plan)
        silent = turn.sink(StaleSink)
        stale = {} if silent is None else untold(silent.found, store)
        if silent is not None:
            notices += stale_items(stale, silent.digest, plan, turn.as_of, times.wall())
        summary = deliver(
            turn.handoffs.to_alert(report.anomalies, plan.rows, store.last_alerts),
            plan,
            store,
            times,
            notices=notices,
            normal=normal,
            before=before,
            lately=lately,
            fleet=report.outcomes["analysed"],
            album=_album(turn),
        )
        _remember(store, {**before, **summary.noted}, lately, turn.as_of)
        remember_stale(stale, store, 0 if silent is None else silent.period)
        turn.handoffs.safe = not summary.state_problem
        return summary


def _album(turn: Turn) -> Album | None:
    illustrator = turn.sink(Illustrator)  # type: ignore[type-abstract]
    return None if illustrator is None else Album(illustrator.draw, illustrator.seconds)


def _plan(turn: Turn, external: Sequence[AlertRow]) -> Plan:
    """What delivery goes by; others' rules never keep our own from being followed."""
    config, json = turn.request.config, turn.request.json
    try:
        return delivery_plan(config, external=external, json=json)
    except InputError as error:
        if not external:
            raise
        turn.warn(f"external alerts are left out: {error}")
        return delivery_plan(config, json=json)


def _look_back(turn: Turn, store: Store, plan: Plan) -> tuple[dict[str, Lately], list[Anomaly], dict[str, Lately]]:
    """Records of lately anomalous metrics before this run, those found normal by it, and the records after it.

    The report learns since when its anomalies last. Where the past cannot be read, nothing is known of it: the records
    are empty, and no rule keeps an alert back for what it would say.
    """
    unknown: dict[str, Lately] | None = None
    before = store.read(read_lately, unknown)
    if before is None:
        return {}, [], {}
    keep = kept_runs(turn.request.config, plan.strategies.values())
    watched = {metric: record for metric, record in before.items() if record.open or record.normal < keep}
    judged = turn.sink(LatelySink)
    anomalies, normal = turn.report.anomalies, [] if judged is None else judged.normal(watched)
    lately = looked_at(before, anomalies, normal, keep, triggers=plan.second_order is out_of_rhythm)
    for metric in (anomaly.metric for anomaly in anomalies):
        known = metric in before and before[metric].ongoing()
        turn.report.describe(metric, first_seen=lately[metric].first_seen, ongoing=known)
    return before, normal, lately


def _remember(store: Store, before: Mapping[str, Lately], lately: Mapping[str, Lately], now: int) -> None:
    """Keep the records that changed, and forget the outdated ones."""
    batch = Batch()
    write_lately(batch, {metric: record for metric, record in lately.items() if before.get(metric) != record})
    drop_lately(batch, outdated({**before, **lately}, now))
    store.write(batch)
