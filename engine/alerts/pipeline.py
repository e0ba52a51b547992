"""Delivery, read aloud: match, resolve, collect what waits, suppress, mute, shelve, group, illustrate, send and record, renew."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from ridgeline.engine.alerts.breaker import Breaker, decode_breaker, tripped, write_breaker
from ridgeline.engine.alerts.collector import resting
from ridgeline.engine.alerts.group import group
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.lately import Lately
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.mute import mute
from ridgeline.engine.alerts.notices import undelivered_items
from ridgeline.engine.alerts.outbox import collect, forget, retire, shelve, take, with_batch
from ridgeline.engine.alerts.pictures import Album, illustrate, illustrated
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.record import Records
from ridgeline.engine.alerts.renew import renew
from ridgeline.engine.alerts.resolve import expect, resolve, supersede
from ridgeline.engine.alerts.round import Round
from ridgeline.engine.alerts.send import Sender
from ridgeline.engine.alerts.store import SETTLING, Store
from ridgeline.engine.alerts.summary import Summary
from ridgeline.engine.alerts.suppress import suppress
from ridgeline.engine.alerts.workers import Threads, Workers
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.state.names import breaker as breaker_key

Stage = Callable[[Round], None]

# What is new has met the outbox before; from here on it is safe, and then it becomes messages.
TO_SAFETY: Final[tuple[Stage, ...]] = (suppress, mute, shelve)
TO_MESSAGES: Final[tuple[Stage, ...]] = (group, supersede, expect, illustrate)


@dataclass(frozen=True, slots=True)
class Times:
    """When: sending ends at `deadline`, seconds of the monotonic `clock`; `wall` gives epoch seconds."""

    deadline: float
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@resting()
def deliver(  # noqa: PLR0913 - each is one thing that a run knows
    anomalies: Sequence[Anomaly],
    plan: Plan,
    store: Store,
    times: Times,
    *,
    notices: Iterable[Item] = (),
    normal: Sequence[Anomaly] = (),
    before: Mapping[str, Lately] | None = None,
    lately: MutableMapping[str, Lately] | None = None,
    fleet: int = 0,
    album: Album | None = None,
    workers: Workers | None = None,
    jitter: Callable[[], float] = random.random,
) -> Summary:
    """Alert on the anomalies, at least once each per expiration, and on what waits from earlier runs.

    notices   alerts about ourselves (`no_data_items`)
    normal    lately anomalous metrics that this run found normal, as they are now
    before    the records of lately anomalous metrics as the runs before left them
    lately    those records with this run in them; they are told of what is sent
    fleet     how many metrics were judged, 0 if that is unknown
    album     where pictures of the top alerts come from
    jitter    a random number from 0 to 1

    What cannot be sent before the deadline, or before its strategy's timeout, waits in the outbox. A run that is told to
    stop (SystemExit, KeyboardInterrupt) still records what was in flight and has arrived. Raises nothing else.
    """
    round_ = Round(plan, store, times.wall(), {} if lately is None else lately, fleet, album, before or {})
    _match(round_, anomalies, notices)
    resolve(round_, normal)
    collect(round_)
    clerk = Records(round_, jitter)
    sender = Sender(
        illustrated(plan.strategies, album),
        _breakers(round_),
        clerk,
        workers or Threads(),
        times.deadline,
        times.clock,
        times.wall,
    )
    try:
        _send(round_, sender)
        _wake(round_, sender)
        _tell_what_was_lost(round_, sender, clerk)
        _renew(round_, sender)
    except (SystemExit, KeyboardInterrupt):
        sender.land()
        raise
    finally:
        sender.stop()
        _write_breakers(round_, sender, jitter)
    return _summed_up(round_)


def _match(round_: Round, anomalies: Sequence[Anomaly], notices: Iterable[Item]) -> None:
    """First stage: everything new."""
    firing, round_.summary.unmatched = match_rules(anomalies, round_.plan, round_.now)
    for item in (*notices, *firing):
        if item.alert.strategy in round_.plan.strategies:
            round_.items.append(item)
        else:
            round_.summary.note(item, "failed", "there is no such strategy")


def _send(round_: Round, sender: Sender) -> None:
    """Items through the stages, and out."""
    for stage in TO_SAFETY:
        stage(round_)
    _send_what_is_safe(round_, sender)


def _send_what_is_safe(round_: Round, sender: Sender) -> None:
    for stage in TO_MESSAGES:
        stage(round_)
    parcels, round_.parcels = round_.parcels, []
    sender.send(parcels)


def _wake(round_: Round, sender: Sender) -> None:
    """What waits for an endpoint that is well again is sent now, not at its own later time."""
    well = {name for name, lane in sender.lanes.items() if lane.breaker is not None and lane.well and not lane.over}
    found = [
        item
        for item in round_.waiting.values()
        if item.alert.strategy in well and item.due > round_.now and item.pair not in round_.held
    ]
    if found:
        round_.items = [replace(item, due=round_.now) for item in take(round_, found)]
        _send(round_, sender)


def _tell_what_was_lost(round_: Round, sender: Sender, clerk: Records) -> None:
    """Give up what is overdue, and tell by the other strategies what was given up or refused.

    Only when that notice is safe is the alert forgotten. What receivers refuse of the notices themselves is merely
    forgotten.
    """
    lost = [*retire(round_), *clerk.refused]
    clerk.refused.clear()
    if lost:
        items = undelivered_items(lost, round_.plan, round_.now)
        round_.items = [item for item in items if item.pair not in round_.waiting]
        for stage in TO_SAFETY:
            stage(round_)
        forget(round_, lost)
        _send_what_is_safe(round_, sender)
        forget(round_, clerk.refused)


def _renew(round_: Round, sender: Sender) -> None:
    """Last of all: what is told already keeps nothing new waiting."""
    renew(round_)
    parcels, round_.parcels = round_.parcels, []
    sender.send(parcels)


def _breakers(round_: Round) -> dict[str, Breaker]:
    names = list(round_.plan.strategies)
    found = round_.store.read(lambda state: state.get_many([breaker_key(name) for name in names]), [None] * len(names))
    decoded = {name: decode_breaker(value, round_.now) for name, value in zip(names, found, strict=True)}
    return {name: breaker for name, breaker in decoded.items() if breaker is not None}


def _write_breakers(round_: Round, sender: Sender, jitter: Callable[[], float]) -> None:
    """Open the breakers of strategies that gave no answer, or asked to be left alone; close those that are well.

    One that answered and then failed stays closed: what failed may be the message, which waits for its own turn.
    """
    for name, lane in sender.lanes.items():
        breaker: Breaker | None = None
        if lane.failures and (lane.asked or not lane.well):
            before = None if lane.well else lane.breaker
            breaker = tripped(before, round_.now, lane.reason, lane.asked, jitter)
        elif lane.breaker is None or not lane.well:
            continue
        with_batch(round_, partial(write_breaker, strategy=name, breaker=breaker, now=round_.now))


def _summed_up(round_: Round) -> Summary:
    """Count what waits now."""
    summary = round_.summary
    for item in round_.waiting.values():
        if item.pair not in round_.held:
            summary.note(item, "queued", item.reason or "its time has not come")
    round_.store.settle(SETTLING)
    summary.state_problem = round_.store.problem
    if not summary.state_problem:
        summary.waiting = Counter(item.alert.strategy for item in round_.waiting.values())
    return summary
