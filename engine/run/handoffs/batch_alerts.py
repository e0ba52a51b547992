"""Anomalies that `batch` found in points that came late: alerted on by the next run, by their own timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.run.handoffs.deciding import deciding_rules
from ridgeline.engine.run.handoffs.findings import Finding, Identity
from ridgeline.engine.run.handoffs.parked import literal, number, whole
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Ledger

ALERTS: Final = "analyzer_batch.alerts"


@dataclass(slots=True)
class BatchAlerts:
    """What `batch` wants alerted on, by the field that holds it; and fields that make no sense."""

    alerts: dict[str, Finding] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    def due(self, rows: Sequence[AlertRow], withheld: set[Identity]) -> tuple[list[Anomaly], list[str]]:
        """What is alerted on now, one anomaly a metric; and the fields that this run settles.

        That is its oldest; those that follow within the shortest expiration of its rules would be suppressed, and are
        settled with it. What lies further on waits for the next run.
        """
        waiting: dict[str, list[tuple[str, Finding]]] = {}
        settled = list(self.damaged)
        for name, finding in sorted(self.alerts.items(), key=lambda pair: pair[1].identity):
            if finding.identity in withheld:
                settled.append(name)
            else:
                waiting.setdefault(finding.anomaly.metric, []).append((name, finding))
        chosen = deciding_rules(rows, list(waiting))
        now = []
        for metric, found in waiting.items():
            first = found[0][1].anomaly
            quiet = min((row.expiration for row in chosen[metric]), default=None)
            now.append(first)
            settled += [
                name
                for name, one in found
                if one.anomaly is first or quiet is None or one.anomaly.timestamp < first.timestamp + quiet
            ]
        return now, settled


def find_batch_alerts(turn: Turn, ledger: Ledger) -> BatchAlerts:
    """Read what `batch` left."""
    from ridgeline.io.redis.ledger import Fields

    found = BatchAlerts()
    try:
        (fields,) = ledger.ask(Fields(ALERTS))
    except StateError as error:
        turn.unkept.append(error)
        return found
    for name, text in fields.items():
        try:
            found.alerts[name] = _finding(literal(text))
        except ValueError:
            found.damaged.append(name)
    if found.damaged:
        turn.warn(f"{ALERTS} in Redis held {len(found.damaged):,} fields that make no sense; they are removed")
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
