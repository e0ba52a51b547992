"""Sends alerts once, by the way that real ones go: nothing is suppressed, silenced, tried again or recorded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ridgeline.alerters import Message, Outcome
from ridgeline.engine.alerts.group import Parcel
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.lane import GRACE
from ridgeline.engine.alerts.match import wanted
from ridgeline.engine.alerts.mute import NOBODY_WANTS
from ridgeline.engine.alerts.send import Sender
from ridgeline.engine.alerts.strategy import Strategy
from ridgeline.engine.alerts.workers import Threads

UNTRIED = "there was no time to try it"


def send_once(
    items: Sequence[Item],
    strategies: Mapping[str, Strategy],
    *,
    wall: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Outcome]:
    """The outcome of each strategy; `items` has one for each, sent side by side, within its strategy's timeout."""
    outcomes = {item.alert.strategy: Outcome("rejected", NOBODY_WANTS) for item in items if not wanted(item)}
    parcels = [Parcel(Message.of(item.alert), (item,)) for item in items if wanted(item)]
    if not parcels:
        return outcomes
    clerk = _Clerk()
    longest = max(strategies[parcel.strategy].alerter.timeout for parcel in parcels)
    sender = Sender(strategies, {}, clerk, Threads(), clock() + longest + GRACE, clock, wall)
    try:
        sender.send(parcels)
    finally:
        sender.stop()
    untried = Outcome("unknown", UNTRIED)
    return outcomes | {parcel.strategy: clerk.outcomes.get(parcel.strategy, untried) for parcel in parcels}


@dataclass(slots=True)
class _Clerk:
    """Keeps the outcome of the one attempt of each strategy."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def settle(self, parcel: Parcel, outcome: Outcome) -> Parcel | None:
        """Note it, and have nothing sent again."""
        self.outcomes[parcel.strategy] = outcome
        return None

    def postpone(self, parcel: Parcel, reason: str) -> None:
        """Note that it was not tried."""
        self.outcomes[parcel.strategy] = Outcome("retry", reason)
