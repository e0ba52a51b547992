"""Anomalies that `batch` found in points that came late: alerted on by the next run, by their own timestamps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.alerts.item import Pair
from ridgeline.engine.alerts.match import deciding
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.run.handoffs.batch_failing import PARKED, parked_of
from ridgeline.engine.run.handoffs.findings import Finding, Identity
from ridgeline.engine.run.handoffs.parked import MOST, literal, number, whole
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Books, Ledger

ALERTS: Final = "analyzer_batch.alerts"
Last = Callable[[Sequence[Pair]], Sequence[int | None]]  # for each strategy and metric, the timestamp last alerted on


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


def find_batch_alerts(turn: Turn, ledger: Ledger) -> BatchAlerts:
    """What `batch` left of our metrics for a run to alert on."""
    try:
        found = read_batch_alerts(ledger)
    except StateError as error:
        turn.unkept.append(error)
        return BatchAlerts()
    ours = turn.share.among({finding.anomaly.metric for finding in found.alerts.values()})
    found.alerts = {name: finding for name, finding in found.alerts.items() if finding.anomaly.metric in ours}
    found.given_up = sorted(turn.share.among(found.given_up))
    if not turn.share.first:
        found.damaged.clear()
    if found.damaged:
        turn.warn(f"{ALERTS} in Redis held {len(found.damaged):,} fields that make no sense; they are removed")
    return found


def read_batch_alerts(books: Books) -> BatchAlerts:
    """Read what `batch` left. Raises StateError."""
    from ridgeline.io.redis.ledger import Fields

    found = BatchAlerts()
    fields, failing = books.ask(Fields(ALERTS, MOST), Fields(PARKED, MOST))
    found.given_up = sorted(metric for metric, one in parked_of(failing).items() if one.given_up)
    for name, text in fields.items():
        try:
            found.alerts[name] = _finding(literal(text))
        except ValueError:
            found.damaged.append(name)
    return found


def _finding(told: Any) -> Finding:
    """The finding that an entry tells of. Raises ValueError where it makes no sense."""
    metric = told.get("metric") if isinstance(told, dict) else None
    if not isinstance(metric, str) or not metric:
        raise ValueError("it tells of no metric")
    value, stamp = number(told.get("value")), whole(told.get("timestamp"))
    ran = tuple(name for name in _listed(told.get("algorithms_run")) if isinstance(name, str))
    voted = tuple(_algorithm(one, ran) for one in _listed(told.get("triggered_algorithms")))
    voted = tuple(name for name in voted if name)
    anomaly = Anomaly(metric, float(value), stamp, len(voted), voted, ran, backdated=True)
    stored = INTEGER_TIMESTAMPS * isinstance(told["timestamp"], int) | INTEGER_VALUES * isinstance(value, int)
    return Finding(anomaly, stamp, stored, from_batch=True)


def _algorithm(one: object, ran: Sequence[str]) -> str:
    """The name of an algorithm that is told by its name, or by its place among those that ran, from 1."""
    if isinstance(one, str):
        return one
    return ran[one - 1] if isinstance(one, int) and 1 <= one <= len(ran) else ""


def _listed(found: object) -> Sequence[Any]:
    return found if isinstance(found, list | tuple) else ()
