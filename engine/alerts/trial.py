"""A test of one strategy: an alert marked TEST goes the way that real ones go, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from ridgeline.alerters import Alert, Message, Outcome
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.links import fill_links
from ridgeline.engine.alerts.match import recipients_of
from ridgeline.engine.alerts.once import send_once
from ridgeline.engine.alerts.pictures import Draw
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.rule import EXPIRATION, AlertRow
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.rules.matching import matches
from ridgeline.io.errors import InputError

# Never a metric's own name: receivers would fold the test into an incident, and its end would end that.
METRIC: Final = "ridgeline.test"
VALUE, EXPECTED = 10.0, (4.0, 6.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test went. `rule`: the `match` that it went by, None without one; `seconds`: how long the attempt took.

    `message` has the picture that was sent, if any was.
    """

    message: Message
    rule: str | None
    outcome: Outcome
    seconds: float

    @property
    def sent(self) -> bool:
        """Whether everybody that it was for has it."""
        return self.outcome.kind == "sent" and not (self.outcome.deferred or self.outcome.refused)

    def as_json(self) -> dict[str, Any]:
        """As `alert test --json` shows it."""
        outcome = self.outcome
        return {
            "strategy": self.message.strategy,
            "rule": self.rule,
            "recipients": list(self.message.recipients),
            "sent": self.sent,
            "outcome": outcome.kind,
            "reason": outcome.reason,
            "missed": [*outcome.refused, *outcome.deferred],
            "picture": self.message.first.picture is not None,
            "seconds": round(self.seconds, 3),
        }


def rule_for(pattern: str | None, strategy: str, rows: Sequence[AlertRow]) -> AlertRow | None:
    """The rule that a test of the strategy goes by: the one with this `match`, else the first that matches that name.

    Without a pattern the first that names the strategy; None where none does. Raises InputError where the pattern is of
    no rule.
    """
    named = [row for row in rows if strategy in row.strategies]
    if pattern is None:
        return next(iter(named), None)
    same = [row for row in named if row.match == pattern]
    found = next(iter([*same, *(row for row in named if matches(row.match, pattern))]), None)
    if found is None:
        known = ", ".join(f'"{row.match}"' for row in named) or "none"
        raise InputError(f'no [[alert]] for {strategy} has the match "{pattern}" or matches it; there is: {known}')
    return found


def try_strategy(
    name: str,
    plan: Plan,
    pattern: str | None = None,
    *,
    draw: Draw | None = None,
    wall: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
) -> Trial:
    """Send one alert marked as a test by the strategy, within its timeout, and say what became of it.

    Its recipients and severity are those of the rule that `pattern` names. It has the picture that `draw` makes, where the
    strategy shows pictures and the configuration wants any. Nothing is suppressed, silenced, repeated or recorded. Raises
    InputError for a pattern of no rule.
    """
    strategy = plan.strategies[name]
    row = rule_for(pattern, name, plan.rows)
    alert = _alert(strategy, row, pattern, plan, int(wall()))
    if draw is not None and strategy.pictures and plan.delivery.pictures:
        alert = replace(alert, picture=draw([alert], 1).get(METRIC))
    item = Item(alert, row)
    message = Message.of(alert)
    began = clock()
    outcome = send_once([item], plan.strategies, wall=wall, clock=clock)[name]
    return Trial(message, None if row is None else row.match, outcome, clock() - began)


def _alert(strategy: Strategy, row: AlertRow | None, pattern: str | None, plan: Plan, now: int) -> Alert:
    row = row or AlertRow("", (strategy.name,), EXPIRATION)
    subject = row.match if pattern is None else pattern
    recipients = row.recipients or recipients_of([subject], strategy)[subject] if strategy.takes_recipients else ()
    return Alert(
        METRIC,
        VALUE,
        now,
        EXPECTED,
        rule=row.match,
        strategy=strategy.name,
        severity=row.severity,
        expiration=row.expiration,
        full_duration=plan.full_duration,
        recipients=recipients,
        links=fill_links(plan.links, METRIC, now, plan.full_duration),
        test=True,
    )
