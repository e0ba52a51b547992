"""What siblings left for a run to alert on: of most runs nothing, which is why it is light to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ridgeline.engine.alerts.item import Pair
    from ridgeline.engine.alerts.rule import AlertRow
    from ridgeline.engine.run.handoffs.findings import Finding, Identity
    from ridgeline.engine.run.handoffs.parked import Parked
    from ridgeline.engine.score.anomaly import Anomaly

    Last = Callable[
        [Sequence[Pair]], Sequence[int | None]
    ]  # for each strategy and metric, the timestamp last alerted on


@dataclass(slots=True)
class Unanswered:
    """Items that have waited for too long, the oldest anomaly first, and what stands beside them and is none."""

    items: list[Parked] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def arrivals(self) -> Iterator[Anomaly]:
        """One anomaly a metric, its first: of those after it, runs a minute apart would have told nothing either."""
        from ridgeline.alerters import utc

        seen: set[str] = set()
        for item in self.items:
            if item.anomaly.metric not in seen:
                seen.add(item.anomaly.metric)
                note = f"waterfall alert: Mirage was asked at {utc(item.added)} and has not answered"
                yield replace(item.anomaly, note=note)


@dataclass(slots=True)
class BatchAlerts:
    """What `batch` wants alerted on, by the field that holds it; fields that make no sense; metrics that it leaves alone."""

    alerts: dict[str, Finding] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    @property
    def fields(self) -> list[str]:
        """All of them."""
        return [*self.alerts, *self.damaged]

    def due(self, rows: Sequence[AlertRow], withheld: set[Identity], last: Last) -> tuple[list[Anomaly], list[str]]:
        """What is alerted on now, one anomaly a metric; and the fields that this run settles.

        That is the first that lies an expiration after what its metric was last alerted for, by any of its rules. What
        lies within is settled with it, and what lies further on waits for the next run.
        """
        waiting: dict[str, list[tuple[str, Anomaly]]] = {}
        settled = list(self.damaged)
        for name, finding in sorted(self.alerts.items(), key=lambda pair: pair[1].identity):
            if finding.identity in withheld:
                settled.append(name)
            else:
                waiting.setdefault(finding.anomaly.metric, []).append((name, finding.anomaly))
        if not waiting:
            return [], settled
        from ridgeline.engine.alerts.match import deciding

        lengths = {
            metric: {strategy: row.expiration for strategy, row in chosen.items()}
            for metric, chosen in zip(waiting, deciding(rows, list(waiting)), strict=True)
        }
        pairs = [(strategy, metric) for metric, own in lengths.items() for strategy in own]
        told = dict(zip(pairs, last(pairs), strict=True))
        now = []
        for metric, found in waiting.items():
            own = lengths[metric]
            first, done = _first_due(found, own, {strategy: told[strategy, metric] for strategy in own})
            now += [] if first is None else [first]
            settled += done
        return now, settled


def _first_due(
    found: Sequence[tuple[str, Anomaly]], lengths: Mapping[str, int], told: Mapping[str, int | None]
) -> tuple[Anomaly | None, list[str]]:
    """The first anomaly that a strategy is to hear of, and the fields of what comes before the next such one.

    `lengths` seconds for which each strategy is quiet after what it was `told` last. What no rule is for is due once.
    """
    first: Anomaly | None = None
    settled = []
    for name, anomaly in found:
        loud = [
            strategy
            for strategy, length in lengths.items()
            if (at := told[strategy]) is None or anomaly.timestamp >= at + length
        ]
        if first is None and (loud or not lengths):
            first = anomaly
            told = {**told, **dict.fromkeys(loud, anomaly.timestamp)}
        elif loud:
            break
        settled.append(name)
    return first, settled
