"""An item as the outbox keeps it: JSON, with what is not known left out."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any, Final

from ridgeline.alerters import Alert, Status
from ridgeline.engine.alerts.breaker import MOST_PATIENCE
from ridgeline.engine.alerts.item import Item, Pair
from ridgeline.engine.alerts.plan import Plan

_NAMES: Final = ("algorithms", "algorithms_run", "channels", "recipients")
_LEFT_OUT: Final = ("picture",)  # drawn anew
_DEFAULTS: Final = {
    field.name: field.default for field in fields(Alert) if field.default is not MISSING and field.name not in _LEFT_OUT
}
_OPTIONAL: Final = tuple(name for name in _DEFAULTS if name != "strategy")
_USUAL: Final = tuple(_DEFAULTS[name] for name in _OPTIONAL)
_get: Final = attrgetter(*_OPTIONAL)
DAMAGED: Final = "its entry in the outbox was damaged"


def encode(item: Item) -> dict[str, Any]:
    """What is stored."""
    alert = item.alert
    told: dict[str, Any] = {"metric": alert.metric, "value": _number(alert.value), "timestamp": alert.timestamp}
    told |= {name: value for name, value, usual in zip(_OPTIONAL, _get(alert), _USUAL, strict=True) if value != usual}
    if "rule_score" in told:
        told["rule_score"] = _number(told["rule_score"])
    if alert.expected is not None:
        told["expected"] = [_number(bound) for bound in alert.expected]
    entry = {
        "since": item.since,
        "attempts": item.attempts,
        "next": item.due,
        "reason": item.reason,
        "status": item.status,
        "alert": told,
    }
    if item.partial:
        entry["partial"] = True
    if item.storm:
        entry["storm"] = True
    return entry


def decode(pair: Pair, entry: dict[str, Any], plan: Plan, now: float) -> Item:
    """The item; of a damaged entry one that has waited too long already, so that its loss is told."""
    strategy, subject = pair
    try:
        alert = _alert(strategy, entry["alert"])
        status: Status = "resolved" if entry["status"] == "resolved" else "firing"
        since, attempts, due = float(entry["since"]), int(entry["attempts"]), float(entry["next"])
        reason, partial, storm = str(entry["reason"]), bool(entry.get("partial")), bool(entry.get("storm"))
    except (TypeError, ValueError, KeyError, LookupError, OverflowError):
        alert = Alert(subject, math.nan, int(now), strategy=strategy)
        return Item(alert, since=-math.inf, due=math.inf, reason=DAMAGED, stored=True)
    row = plan.row(strategy, alert.rule)
    return Item(
        alert,
        row,
        status,
        subject if subject != alert.metric else "",
        min(since, now),  # a clock that ran ahead keeps nothing for ever
        attempts,
        due if due - now <= 2 * MOST_PATIENCE else now,  # nor does its turn come when that clock said
        reason,
        stored=True,
        partial=partial,
        storm=storm,
    )


def _alert(strategy: str, told: dict[str, Any]) -> Alert:
    values = {name: told[name] for name in _DEFAULTS if name in told}
    for name in _NAMES:
        if name in values:
            values[name] = tuple(map(str, values[name]))
    if "expected" in values:
        low, high = values["expected"]
        values["expected"] = float(low), float(high)
    if "links" in values:
        values["links"] = tuple((str(name), str(address)) for name, address in values["links"])
    if "rule_score" in values:
        values["rule_score"] = float(values["rule_score"])
    values["strategy"] = strategy
    return Alert(str(told["metric"]), float(told["value"]), int(told["timestamp"]), **values)


def _number(value: float) -> float | str:
    """The value as JSON can carry it."""
    return float(value) if math.isfinite(value) else str(float(value))
