"""Anomalies that `batch` found in points that came late: alerted on by the next run, by their own timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ridgeline.engine.run.handoffs.arrived import BatchAlerts
from ridgeline.engine.run.handoffs.batch_failing import PARKED, parked_of
from ridgeline.engine.run.handoffs.findings import Finding
from ridgeline.engine.run.handoffs.parked import MOST, literal, number, whole
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.matrix import INTEGER_TIMESTAMPS, INTEGER_VALUES
from ridgeline.io.state.interface import StateError

if TYPE_CHECKING:
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.ledger import Books, Ledger

ALERTS: Final = "analyzer_batch.alerts"


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
