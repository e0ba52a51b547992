"""What waits in the outbox, as operators see it: listed, tried again at once, or dropped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ridgeline.engine.alerts.entry import decode
from ridgeline.engine.alerts.item import Item, Pair
from ridgeline.engine.alerts.plan import Plan
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import breaker
from ridgeline.io.state.outbox import drop_outbox, put_outbox, read_outbox
from ridgeline.io.text import escape


@dataclass(frozen=True, slots=True)
class Waiting:
    """An alert that waits. `metric`: what it is kept by; `next` and `since` in epoch seconds, None where damaged."""

    strategy: str
    metric: str
    attempts: int
    next: int | None
    reason: str
    since: int | None

    def as_json(self) -> dict[str, Any]:
        """As `alert outbox list --json` shows it."""
        return {name: getattr(self, name) for name in ("strategy", "metric", "attempts", "next", "reason", "since")}


def list_waiting(state: State, now: float, *, metric: str | None = None, strategy: str | None = None) -> list[Waiting]:
    """What waits, of one metric and one strategy or of all, those that have waited longest first. Raises StateError.

    A metric may be given as it is, or as people were shown it, with its odd characters escaped.
    """
    nobody = Plan((), {})
    items = [decode(pair, entry, nobody, now) for pair, entry in read_outbox(state, strategy).items()]
    found = [item for item in items if metric is None or metric in {item.pair[1], escape(item.pair[1])}]
    return [_waiting(item) for item in sorted(found, key=lambda item: (item.since, item.pair))]


def retry(state: State, some: Sequence[Waiting], now: float) -> list[Waiting]:
    """Make these due at once, close the breakers of their strategies, and return them as they are then.

    What is due already is left alone: a run may be sending it at this moment. Raises StateError.
    """
    later = {_pair(one) for one in some if one.next is not None and one.next > now}
    entries = {pair: {**entry, "next": now} for pair, entry in read_outbox(state).items() if pair in later}
    batch = Batch()
    put_outbox(batch, entries)
    for strategy in {one.strategy for one in some}:
        batch.delete(breaker(strategy))
    state.apply(batch)
    return [replace(one, next=int(now)) if _pair(one) in later else one for one in some]


def drop(state: State, some: Sequence[Waiting]) -> None:
    """Forget these; nobody is told. Raises StateError."""
    batch = Batch()
    drop_outbox(batch, [_pair(one) for one in some])
    state.apply(batch)


def _pair(one: Waiting) -> Pair:
    return one.strategy, one.metric


def _waiting(item: Item) -> Waiting:
    strategy, subject = item.pair
    return Waiting(strategy, subject, item.attempts, _second(item.due), item.reason, _second(item.since))


def _second(instant: float) -> int | None:
    return math.floor(instant) if math.isfinite(instant) else None
