"""The one sparse table of lately anomalous metrics, in state: a record per metric, pruned by age and number."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, fields
from operator import attrgetter
from typing import Any, Final

from ridgeline.engine.alerts.lately import Incident, Lately
from ridgeline.engine.alerts.second_order import Triggers
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import ANOMALIES

KEPT_FOR: Final = 7 * 86400  # seconds after a metric's last anomalous point
MOST_METRICS: Final = 100_000
_told: Final = attrgetter(*(field.name for field in fields(Incident)))


def read_lately(state: State, metrics: Sequence[str] | None = None) -> dict[str, Lately]:
    """The records of these metrics, or of all; damaged ones are passed over and will be written anew."""
    if metrics is None:
        stored = state.fields(ANOMALIES)
    else:
        stored = dict(zip(metrics, state.pick(ANOMALIES, metrics), strict=True))
    records = ((metric, decode(value)) for metric, value in stored.items())
    return {metric: record for metric, record in records if record is not None}


def write_lately(batch: Batch, records: Mapping[str, Lately]) -> None:
    """Store records; only those that changed need to be given."""
    batch.put(ANOMALIES, {metric: encode(record) for metric, record in records.items()})


def drop_lately(batch: Batch, metrics: Iterable[str]) -> None:
    """Forget metrics."""
    batch.drop(ANOMALIES, metrics)


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
        decoded = tuple(_incident(incident) for incident in incidents)
        pairs = tuple((str(strategy), None if storm is None else str(storm)) for strategy, storm in opened)
        kept = None if triggers is None else decode_triggers(triggers)
        runs = tuple(bool(run) for run in recent)
        return Lately(decoded, int(seen), int(normal), runs, pairs, kept) if decoded else None
    except (TypeError, ValueError, OverflowError):
        return None


def _incident(stored: Any) -> Incident:
    start, last, value, peak, votes, algorithms, runs, alerted, alerted_size = stored
    numbers = float(value), float(peak), float(alerted_size)
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a number that JSON cannot carry")
    names = tuple(map(str, algorithms)), tuple(map(str, alerted))
    return Incident(int(start), int(last), *numbers[:2], int(votes), names[0], int(runs), names[1], numbers[2])


def encode_triggers(triggers: Triggers) -> list[Any]:
    """Triggers as JSON."""
    return list(astuple(triggers))


def decode_triggers(stored: Any) -> Triggers:
    """The triggers that `encode_triggers` made this of; TypeError, ValueError or OverflowError for anything else."""
    times, value, news = stored
    if not times or not math.isfinite(value):
        raise ValueError("no triggers")
    return Triggers(tuple(map(int, times)), float(value), bool(news))
