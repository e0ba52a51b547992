"""What runs before know of metrics that were anomalous lately: asked for before alerts go out, kept once they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

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
from ridgeline.engine.alerts.second_order import out_of_rhythm
from ridgeline.engine.policy.lookback import kept_runs, looked_at, second_order
from ridgeline.engine.run.lately import LatelySink
from ridgeline.io.state.batch import Batch

if TYPE_CHECKING:
    from ridgeline.engine.alerts.store import Store
    from ridgeline.engine.alerts.strategy import Strategy
    from ridgeline.engine.run.turn import Turn
    from ridgeline.engine.score.anomaly import Anomaly
    from ridgeline.io.state.interface import State


@dataclass(slots=True)
class Past:
    """Records of lately anomalous metrics that this run has to look at: those of its own anomalies, and the watched ones.

    before, lately   before this run, and after it where it judged the metric; `normal`: those that it found normal
    keep             runs that anybody counts
    """

    before: dict[str, Lately] = field(default_factory=dict)
    lately: dict[str, Lately] = field(default_factory=dict)
    normal: list[Anomaly] = field(default_factory=list)
    watched: set[str] = field(default_factory=set)
    keep: int = RESOLVE_AFTER


def look_back(turn: Turn, store: Store, strategies: Iterable[Strategy] = ()) -> Past:
    """What runs before know; the report learns since when its anomalies last.

    Where the past cannot be read, nothing is known of it: the records are empty, and no rule keeps an alert back for what
    it would say.
    """
    anomalies = turn.report.anomalies
    unknown: tuple[set[str], dict[str, Lately]] | None = None
    found = store.read(partial(_recall, anomalous=[anomaly.metric for anomaly in anomalies]), unknown)
    if found is None:
        return Past()
    watched, before = found
    config = turn.request.config
    keep = kept_runs(config, strategies)
    judged = turn.sink(LatelySink)
    watching = {metric: record for metric, record in before.items() if not is_over(record, keep)}
    normal = [] if judged is None else judged.normal(watching)
    lately = looked_at(before, anomalies, normal, keep, triggers=second_order(config) is out_of_rhythm)
    for metric in (anomaly.metric for anomaly in anomalies):
        known = metric in before and before[metric].ongoing()
        turn.report.describe(metric, first_seen=lately[metric].first_seen, ongoing=known)
    return Past(before, lately, normal, watched, keep)


def _recall(state: State, anomalous: Sequence[str]) -> tuple[set[str], dict[str, Lately]]:
    watched = read_watched(state)
    return watched, read_lately(state, sorted(watched.union(anomalous)))


def remember(store: Store, past: Past, noted: Mapping[str, Lately]) -> None:
    """Keep the records that changed, `noted` being kept already, and watch no longer what nobody waits for."""
    batch = Batch()
    kept = {**past.before, **noted}
    changed = {metric: record for metric, record in past.lately.items() if kept.get(metric) != record}
    write_lately(batch, changed)
    now = {**kept, **past.lately}
    over = (metric for metric in past.watched | changed.keys() if metric not in now or is_over(now[metric], past.keep))
    unwatch(batch, sorted(over))
    store.write(batch)


def forget(store: Store, past: Past, now: int) -> None:
    """Once a day, look through all records for those that are outdated."""
    if not store.read(is_pruning_due, otherwise=False):
        return
    nothing: dict[str, Lately] = {}
    batch = Batch()
    prune(batch, {**store.read(read_lately, nothing), **past.before, **past.lately}, now)
    store.write(batch)
