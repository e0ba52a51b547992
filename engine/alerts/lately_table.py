"""The one sparse table of lately anomalous metrics, in state: a record per metric, pruned by age and number.

A run asks for few of them: those of the metrics that are anomalous now, and the watched ones, which change although their
metric is normal, since somebody is to be told that it is or is counting the runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from math import isfinite
from operator import attrgetter
from typing import Any, Final

from ridgeline.engine.alerts.lately import RESOLVE_AFTER, Incident, Lately
from ridgeline.engine.alerts.second_order import Triggers
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import ANOMALIES, PRUNED, WATCHED

KEPT_FOR: Final = 7 * 86400  # seconds after a metric's last anomalous point
MOST_METRICS: Final = 100_000
PRUNED_EVERY: Final = 86_400  # seconds
_told: Final = attrgetter(*(field.name for field in fields(Incident)))


def read_lately(state: State, metrics: Sequence[str] | None = None) -> dict[str, Lately]:
    """The records of these metrics, or of all; damaged ones are passed over and will be written anew."""
    if metrics is None:
        stored = state.fields(ANOMALIES)
    else:
        stored = dict(zip(metrics, state.pick(ANOMALIES, metrics), strict=True))
    records = ((metric, decode(value)) for metric, value in stored.items())
    return {metric: record for metric, record in records if record is not None}


def read_watched(state: State) -> set[str]:
    """The metrics whose records change although nothing is wrong with them."""
    return state.members(WATCHED)


def write_lately(batch: Batch, records: Mapping[str, Lately]) -> None:
    """Store records, and have them watched; only those that changed need to be given."""
    batch.put(ANOMALIES, {metric: encode(record) for metric, record in records.items()})
    batch.add(WATCHED, records)


def unwatch(batch: Batch, metrics: Iterable[str]) -> None:
    """Look at the records of these only where the metrics are anomalous again."""
    batch.remove(WATCHED, metrics)


def drop_lately(batch: Batch, metrics: Sequence[str]) -> None:
    """Forget metrics."""
    batch.drop(ANOMALIES, metrics)
    unwatch(batch, metrics)


def is_pruning_due(state: State) -> bool:
    """Whether a day has passed since outdated records were forgotten, or there are too many."""
    return state.get(PRUNED) is None or state.size(ANOMALIES) > MOST_METRICS


def prune(batch: Batch, records: Mapping[str, Lately], now: int) -> None:
    """Of all records forget the outdated ones, and watch what is not over."""
    old = to_forget(records, now)
    drop_lately(batch, old)
    gone = set(old)
    batch.add(WATCHED, [metric for metric, one in records.items() if metric not in gone and not is_over(one)])
    batch.set(PRUNED, 1, PRUNED_EVERY)


def to_forget(records: Mapping[str, Lately], now: int) -> list[str]:
    """The outdated ones of all records at `now`; where they are too many, a tenth more than need be."""
    return outdated(records, now, most=MOST_METRICS * 9 // 10 if len(records) > MOST_METRICS else MOST_METRICS)


def is_over(record: Lately, keep: int = RESOLVE_AFTER) -> bool:
    """Whether the record stays as it is as long as its metric is normal; `keep`: runs that anybody counts."""
    return not record.open and record.normal >= keep


def outdated(records: Mapping[str, Lately], now: int, kept_for: int = KEPT_FOR, most: int = MOST_METRICS) -> list[str]:
    """The metrics to forget at `now` (epoch seconds): those over for longer than `kept_for`, then the oldest over `most`."""
    by_age = sorted(records, key=lambda metric: (-records[metric].incident.last, metric))
    kept = [metric for metric in by_age if now - records[metric].incident.last <= kept_for][:most]
    return sorted(records.keys() - set(kept))


def encode(record: Lately) -> list[Any]:
    """A record as JSON: short, as there may be ten thousands."""
    recent, incidents = [int(run) for run in record.recent], [_told(incident) for incident in record.incidents]
    triggers = None if record.triggers is None else encode_triggers(record.triggers)
    return [record.seen, record.normal, recent, incidents, record.open, triggers]


def decode(value: Any) -> Lately | None:
    """The record that `encode` made this of; None for anything else."""
    try:
        seen, normal, recent, incidents, opened, triggers = value
        decoded = tuple([_incident(incident) for incident in incidents])
        pairs = tuple([(str(strategy), None if storm is None else str(storm)) for strategy, storm in opened])
        kept = None if triggers is None else decode_triggers(triggers)
        return Lately(decoded, int(seen), int(normal), tuple(map(bool, recent)), pairs, kept) if decoded else None
    except (TypeError, ValueError, OverflowError):
        return None


def _incident(stored: Any) -> Incident:
    start, last, value, peak, votes, algorithms, runs, alerted, alerted_size = stored
    value, peak, alerted_size = float(value), float(peak), float(alerted_size)
    if not (isfinite(value) and isfinite(peak) and isfinite(alerted_size)):
        raise ValueError("a number that JSON cannot carry")
    names = tuple(map(str, algorithms)), tuple(map(str, alerted))
    return Incident(int(start), int(last), value, peak, int(votes), names[0], int(runs), names[1], alerted_size)


def encode_triggers(triggers: Triggers) -> list[Any]:
    """Triggers as JSON."""
    return list(astuple(triggers))


def decode_triggers(stored: Any) -> Triggers:
    """The triggers that `encode_triggers` made this of; TypeError, ValueError or OverflowError for anything else."""
    times, value, news = stored
    if not times or not isfinite(value):
        raise ValueError("no triggers")
    return Triggers(tuple(map(int, times)), float(value), bool(news))
