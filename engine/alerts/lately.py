"""What the runs before know of a metric that was anomalous lately: since when, how often, how badly, told to whom.

One record serves `first_seen`, ongoing and resolved, m of the last n, second order, and `ridgeline anomalies`. A run
counts for a metric only if it analysed it and saw a newer point than the run before; stale, missing and shed metrics
stay as they were. A metric that was never anomalous has no record.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from ridgeline.engine.alerts.second_order import MOST_SIZE, Triggers, triggered

RESOLVE_AFTER: Final = 3  # normal runs that end an incident
MOST_INCIDENTS: Final = 20  # of one metric are remembered


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest point of a metric as a run judged it.

    `timestamp` in epoch seconds. `size`: its distance from the middle of the expected range over half the range's
    width, at least 0; infinite where the range is a single value.
    """

    timestamp: int
    value: float
    anomalous: bool
    votes: int = 0
    size: float = 0.0
    algorithms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """A run of anomalous points: the time stamps of its first and last, and the value, size and votes of the worst.

    `alerted`: the strategies that were told, and `alerted_size`: the largest size that they were told of.
    """

    start: int
    last: int
    peak_value: float
    peak: float
    votes: int
    algorithms: tuple[str, ...]
    runs: int = 1
    alerted: tuple[str, ...] = ()
    alerted_size: float = 0.0

    def grown(self, seen: Seen) -> Incident:
        """The incident with one more anomalous point."""
        more = replace(self, last=seen.timestamp, runs=self.runs + 1, votes=max(self.votes, seen.votes))
        if seen.size <= self.peak:
            return more
        return replace(more, peak=seen.size, peak_value=seen.value, algorithms=seen.algorithms)


@dataclass(frozen=True, slots=True)
class Lately:
    """A metric's record. `incidents`: at least one, the newest last. `seen`: the time stamp of its newest judged point.

    `normal`: the runs since the last anomalous one. `recent`: whether each of the last runs was anomalous, newest last.
    `open`: what receivers that know resolution hold open about the metric: (strategy, None) for itself, (strategy, rule) for
    a storm that it is part of. `triggers`: what Skyline's second order remembers, where that is asked for.
    """

    incidents: tuple[Incident, ...]
    seen: int
    normal: int = 0
    recent: tuple[bool, ...] = (True,)
    open: tuple[tuple[str, str | None], ...] = ()
    triggers: Triggers | None = None

    @property
    def incident(self) -> Incident:
        """The newest incident, ongoing or not."""
        return self.incidents[-1]

    @property
    def first_seen(self) -> int:
        """When the newest incident began, epoch seconds."""
        return self.incident.start

    def ongoing(self, resolve_after: int = RESOLVE_AFTER) -> bool:
        """Whether the newest incident has not ended by `resolve_after` normal runs."""
        return self.normal < resolve_after

    def m_of_n(self, m: int, n: int) -> bool:
        """Whether m of the last n runs that count were anomalous; those from before the record count as normal."""
        return sum(self.recent[-n:]) >= m


def observe(previous: Lately | None, seen: Seen | None, *, keep: int = 1, triggers: bool = False) -> Lately | None:
    """The record after a run: `seen` is what the run judged, None where it did not analyse the metric.

    `keep`: how many runs m of n looks back on at most. `triggers`: whether Skyline's second order is asked for. The same
    record is returned where nothing has changed.
    """
    if seen is None:
        return previous
    if previous is not None and seen.timestamp <= previous.seen:
        return _seen_again(previous)
    counted = previous.triggers if previous is not None and triggers else None
    if triggers and seen.anomalous:
        counted = triggered(counted, seen.timestamp, seen.value)
    if previous is None:
        return Lately((_begun(seen),), seen.timestamp, triggers=counted) if seen.anomalous else None
    if not seen.anomalous and previous.normal >= max(RESOLVE_AFTER, keep):
        return previous  # long over, and m of n would see normal runs only
    recent = (*previous.recent, seen.anomalous)[-max(keep, 1) :]
    if not seen.anomalous:
        return Lately(previous.incidents, seen.timestamp, previous.normal + 1, recent, previous.open, previous.triggers)
    if previous.ongoing():
        incidents = (*previous.incidents[:-1], previous.incident.grown(_finite(seen)))
    else:
        incidents = (*previous.incidents, _begun(seen))[-MOST_INCIDENTS:]
    return Lately(incidents, seen.timestamp, 0, recent, previous.open, counted)


def told(record: Lately, strategy: str, size: float) -> Lately:
    """The record after an alert of this size about its newest incident was sent."""
    incident = record.incident
    alerted = tuple(dict.fromkeys((*incident.alerted, strategy)))
    largest = max(incident.alerted_size, min(size, MOST_SIZE))
    return replace(record, incidents=(*record.incidents[:-1], replace(incident, alerted=alerted, alerted_size=largest)))


def opened(record: Lately, strategy: str, storm: str | None) -> Lately:
    """The record once a receiver holds something open about the metric; `storm`: the rule of the storm, None for itself."""
    return replace(record, open=tuple(dict.fromkeys((*record.open, (strategy, storm)))))


def closed(record: Lately, strategy: str) -> Lately:
    """The record once the strategy is to be told that the metric is normal again."""
    return replace(record, open=tuple(pair for pair in record.open if pair[0] != strategy))


def _seen_again(record: Lately) -> Lately:
    """The record after a run that saw no newer point: it does not count, and what was news is none any more."""
    if record.triggers is None or not record.triggers.news:
        return record
    return replace(record, triggers=replace(record.triggers, news=False))


def _begun(seen: Seen) -> Incident:
    seen = _finite(seen)
    return Incident(seen.timestamp, seen.timestamp, seen.value, seen.size, seen.votes, seen.algorithms)


def _finite(seen: Seen) -> Seen:
    """The same with a size that JSON can carry."""
    return seen if math.isfinite(seen.size) else replace(seen, size=MOST_SIZE)
