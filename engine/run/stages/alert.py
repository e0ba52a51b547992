"""Alerts: before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ridgeline.engine.alerts.digest import remember_stale, stale_items, untold
from ridgeline.engine.alerts.external_source import Found
from ridgeline.engine.alerts.lately import RESOLVE_AFTER, Lately
from ridgeline.engine.alerts.lately_table import (
    is_over,
    is_pruning_due,
    prune,
    read_lately,
    read_watched,
    unwatch,
    write_lately,
)
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
from ridgeline.io.state.interface import State


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
        past = _look_back(turn, store, plan)
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
            normal=past.normal,
            before=past.before,
            lately=past.lately,
            fleet=report.outcomes["analysed"],
            album=_album(turn),
        )
        _remember(store, past, summary.noted)
        _forget(store, past, turn.as_of)
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


@dataclass(slots=True)
class _Past:
    """Records of lately anomalous metrics that this run has to look at: those of its own anomalies, and the watched ones.

    before, lately   before this run, and after it where it judged the metric; `normal`: those that it found normal
    keep             runs that anybody counts
    """

    before: dict[str, Lately] = field(default_factory=dict)
    lately: dict[str, Lately] = field(default_factory=dict)
    normal: list[Anomaly] = field(default_factory=list)
    watched: set[str] = field(default_factory=set)
    keep: int = RESOLVE_AFTER


def _look_back(turn: Turn, store: Store, plan: Plan) -> _Past:
    """What runs before know; the report learns since when its anomalies last.

    Where the past cannot be read, nothing is known of it: the records are empty, and no rule keeps an alert back for what
    it would say.
    """
    anomalies = turn.report.anomalies
    unknown: tuple[set[str], dict[str, Lately]] | None = None
    found = store.read(partial(_recall, anomalous=[anomaly.metric for anomaly in anomalies]), unknown)
    if found is None:
        return _Past()
    watched, before = found
    keep = kept_runs(turn.request.config, plan.strategies.values())
    judged = turn.sink(LatelySink)
    watching = {metric: record for metric, record in before.items() if not is_over(record, keep)}
    normal = [] if judged is None else judged.normal(watching)
    lately = looked_at(before, anomalies, normal, keep, triggers=plan.second_order is out_of_rhythm)
    for metric in (anomaly.metric for anomaly in anomalies):
        known = metric in before and before[metric].ongoing()
        turn.report.describe(metric, first_seen=lately[metric].first_seen, ongoing=known)
    return _Past(before, lately, normal, watched, keep)


def _recall(state: State, anomalous: Sequence[str]) -> tuple[set[str], dict[str, Lately]]:
    watched = read_watched(state)
    return watched, read_lately(state, sorted(watched.union(anomalous)))


def _remember(store: Store, past: _Past, noted: Mapping[str, Lately]) -> None:
    """Keep the records that changed, `noted` being kept already, and watch no longer what nobody waits for."""
    batch = Batch()
    kept = {**past.before, **noted}
    changed = {metric: record for metric, record in past.lately.items() if kept.get(metric) != record}
    write_lately(batch, changed)
    now = {**kept, **past.lately}
    over = (metric for metric in past.watched | changed.keys() if metric not in now or is_over(now[metric], past.keep))
    unwatch(batch, sorted(over))
    store.write(batch)


def _forget(store: Store, past: _Past, now: int) -> None:
    """Once a day, look through all records for those that are outdated."""
    if not store.read(is_pruning_due, otherwise=False):
        return
    nothing: dict[str, Lately] = {}
    batch = Batch()
    prune(batch, {**store.read(read_lately, nothing), **past.before, **past.lately}, now)
    store.write(batch)
