"""Where an alert about a metric would go now, and what keeps it back: asked of the very rules and state of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.mute import in_hours, told_of, why_muted
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.silence import read_silences
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.engine.units import END_OF_TIME
from ridgeline.io.state.interface import State


@dataclass(frozen=True, slots=True)
class Route:
    """One strategy that an anomaly of a metric goes to.

    rule              the `match` of the first rule that names the strategy and matches
    recipients        of channels that have some
    suppressed_until  epoch seconds until which it was told lately; None if it was not
    muted             why nobody hears of it now, in words; empty if nothing keeps it back
    scheduled         whether the rule alerts at this hour
    """

    rule: str
    strategy: str
    recipients: tuple[str, ...] = ()
    suppressed_until: int | None = None
    muted: str = ""
    scheduled: bool = True

    @property
    def open(self) -> bool:
        """Whether an alert would go out now."""
        return self.suppressed_until is None and not self.muted and self.scheduled

    def as_json(self) -> dict[str, Any]:
        """As `alert route --json` shows it."""
        return {
            "rule": self.rule,
            "strategy": self.strategy,
            "recipients": list(self.recipients),
            "suppressed_until": self.suppressed_until,
            "muted": self.muted or False,
            "scheduled": self.scheduled,
        }


def route(metric: str, plan: Plan, state: State | None, now: float) -> list[Route]:
    """The routes of a metric at `now`, epoch seconds, in the order of the rules; none where no rule matches.

    Without a `state`, as a run that cannot read its own: nothing is suppressed, silenced or paused. Raises StateError.
    """
    items, _ = match_rules([Anomaly(metric, 0.0, int(now), 0, (), ())], plan, now)
    silences = [] if state is None else read_silences(state, now)
    paused = [0.0] * len(items) if state is None else state.operators([told_of(item) for item in items])
    left = [0.0] * len(items) if state is None else state.alert_ttls([item.pair for item in items])
    muted = why_muted(items, silences, paused, now)
    return [_route(item, ttl, muted.get(item.pair, ""), now) for item, ttl in zip(items, left, strict=True)]


def _route(item: Item, ttl: float, muted: str, now: float) -> Route:
    alert = item.alert
    # A rule that always alerts is not asked whether it has.
    until = int(min(now + ttl, END_OF_TIME)) + 1 if ttl > 0 and alert.expiration > 0 else None
    return Route(alert.rule, alert.strategy, alert.recipients, until, muted, in_hours(item, now))
