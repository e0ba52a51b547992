"""Second order: whether an anomaly is news to those who were told of it, beyond that it is one.

It decides what is alerted and never a verdict. Ridgeline's own rule asks for a new incident, or one that has grown by half.
Skyline's, under its profiles, asks whether the time since the trigger before is unlike the times between all of them; what
it was before a metric had triggered a dozen times is No, but for the very first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ridgeline.engine.alerts.lately import Lately

GROWTH: Final = 1.5  # an anomaly grown by half is worth another alert
MOST_SIZE: Final = 1e300  # stands for an infinite size, which JSON cannot carry
MOST_TRIGGERS: Final = 30  # of one metric are remembered; Skyline forgets none
SAME_WITHIN: Final = 300  # seconds in which the same value again is the same trigger
SIGMAS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Triggers:
    """The anomalous points of a metric as Skyline's rule remembers them.

    times   epoch seconds of those that counted, ascending, at least one
    value   of the last of them
    news    whether the metric's newest anomalous point passed, and no run has seen it since
    """

    times: tuple[int, ...]
    value: float
    news: bool = True


def triggered(before: Triggers | None, timestamp: int, value: float) -> Triggers:
    """The triggers with one more anomalous point, which is newer than all before."""
    if before is None:
        return Triggers((timestamp,), value)
    if value == before.value and timestamp - before.times[-1] <= SAME_WITHIN:
        return replace(before, news=False)
    times = (*before.times, timestamp)[-MOST_TRIGGERS:]
    return Triggers(times, value, _is_unusual(times))


def _is_unusual(times: tuple[int, ...]) -> bool:
    """Whether the last interval lies more than three (sample) standard deviations from the mean of all."""
    from statistics import fmean, stdev

    intervals = [later - earlier for earlier, later in pairwise(times)]
    return len(intervals) > 1 and abs(intervals[-1] - fmean(intervals)) > SIGMAS * stdev(intervals)


def worth_another(record: Lately, strategy: str, size: float) -> bool:
    """Ridgeline's rule: whether the strategy was not told of this incident yet, or of one smaller by a third."""
    incident = record.incident
    return strategy not in incident.alerted or (size > 0 and min(size, MOST_SIZE) >= GROWTH * incident.alerted_size)


def out_of_rhythm(record: Lately, strategy: str, size: float) -> bool:  # noqa: ARG001 - one shape for both rules
    """Skyline's rule, which asks neither for strategy nor size."""
    return record.triggers is None or record.triggers.news
