"""What is kept of a judged metric: all of it in one instant, so that no crash can part an anomaly from its watermark."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ridgeline.engine.run.books.events import count_events
from ridgeline.engine.run.books.named import namespace_of
from ridgeline.engine.run.handoffs.batch_alerts import ALERTS
from ridgeline.engine.run.handoffs.batch_failing import PARKED, Parked
from ridgeline.engine.run.handoffs.routing import QUEUE, WATERMARK, WATERMARKS
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.redis.entries import Entries

ANOMALY: Final = "analyzer_batch.anomaly"
CENSUS: Final = "ridgeline.batch_census"
A_DAY: Final = 86400  # seconds that siblings find an anomaly
A_MONTH: Final = 2_592_000  # seconds that the older form of a watermark lives
MOST: Final = 250  # anomalies of one instant: Redis answers nobody else meanwhile


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded of one metric.

    anomalies  in the order of time; `starts`: epoch seconds from which each was judged
    integers   whether the source holds its numbers as integers (`MetricMatrix.integers`)
    points     how many were judged; `late`: how many came too late for it
    analysed   epoch seconds of those that were analysed, in their order
    before     the watermark as it is
    mark       epoch seconds: judged so far; None: the watermark stays where it is
    members    texts to take out of the queue
    census     how many points there were (`late.Census`); None: not known anew
    parked     how it fails; None: it does not
    was_parked whether it failed before
    done       whether the metric has no new points beyond these
    alerting   whether people are to hear of the anomalies
    unwritten  whether its files could not be written
    """

    metric: str
    anomalies: Sequence[Anomaly] = ()
    starts: Sequence[int] = ()
    points: int = 0
    analysed: Sequence[int] = ()
    late: int = 0
    integers: int = 0
    before: int | None = None
    mark: int | None = None
    members: Sequence[str] = ()
    census: str | None = None
    parked: Parked | None = None
    was_parked: bool = False
    done: bool = False
    alerting: bool = True
    unwritten: bool = False

    @property
    def idle(self) -> bool:
        """Whether nothing is to be recorded of it but that it leaves the queue."""
        return not (
            self.anomalies or self.analysed or self.mark is not None or self.census or self.parked or self.was_parked
        )


def changes_of(entry: Entry, events: str) -> Iterator[Entries]:
    """The changes to make, those of one instant together; `events` is the key of today's events.

    Of very many anomalies some are recorded before others, each with the watermark moved up to it.
    """
    parts = [entry.anomalies[first : first + MOST] for first in range(0, len(entry.anomalies), MOST)] or [()]
    counted = 0
    for part in parts[:-1]:
        so_far = part[-1].timestamp
        goes_on = entry.mark is not None and (entry.before is None or so_far > entry.before)
        changes = _of(entry, part, so_far if goes_on else None)
        done = bisect_right(entry.analysed, so_far)
        _count(changes, entry, events, done - counted)
        counted = done
        yield changes
    changes = _of(entry, parts[-1], entry.mark)
    _count(changes, entry, events, len(entry.analysed) - counted)
    if entry.census is not None:
        changes.put(CENSUS, {entry.metric: entry.census})
    if entry.parked is not None:
        changes.put(PARKED, {entry.metric: entry.parked.text()})
    elif entry.was_parked:
        changes.drop(PARKED, [entry.metric])
    changes.take_out(QUEUE, entry.members)
    yield changes


def _of(entry: Entry, anomalies: Sequence[Anomaly], mark: int | None) -> Entries:
    changes = Entries()
    for anomaly in anomalies:
        changes.set(f"{ANOMALY}.{anomaly.timestamp}.{entry.metric}", str(anomaly.timestamp), A_DAY)
    if entry.alerting:
        changes.put(ALERTS, {f"{one.timestamp}.{one.metric}": alert_of(one) for one in anomalies})
    if mark is not None:
        changes.put(WATERMARKS, {entry.metric: str(mark)})
        changes.set(f"{WATERMARK}.{entry.metric}", str(mark), A_MONTH)
    return changes


def _count(changes: Entries, entry: Entry, events: str, points: int) -> None:
    if points:
        count_events(changes, events, {namespace_of(entry.metric): points})


def alert_of(anomaly: Anomaly) -> str:
    """The text by which the next run, or Skyline's analyzer, is asked to alert on an anomaly."""
    return str(
        {
            "value": anomaly.value,
            "metric": anomaly.metric,
            "timestamp": anomaly.timestamp,
            "triggered_algorithms": list(anomaly.algorithms),
            "algorithms_run": list(anomaly.algorithms_run),
            "custom_algorithm_only": None,
        }
    )
