"""What could not be sent waits here for a later run: one entry per strategy and metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from ridgeline.alerters import duration
from ridgeline.engine.alerts.breaker import MOST_PATIENCE
from ridgeline.engine.alerts.delivery import Delivery
from ridgeline.engine.alerts.entry import decode, encode
from ridgeline.engine.alerts.item import Item, Pair
from ridgeline.engine.alerts.lately import Lately, opened
from ridgeline.engine.alerts.lately_table import read_lately, write_lately
from ridgeline.engine.alerts.round import Round
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.outbox import Entry, drop_outbox, put_outbox, read_outbox

FIRST_PAUSE: Final = 30.0  # seconds until the second attempt; doubled at each one after it
LONGEST_PAUSE: Final = 1800.0
SAFE_WITHIN: Final = 1.0  # seconds that a store may take before sending goes on without it


def collect(round_: Round) -> None:
    """Stage: join what waits with what is new.

    A new alert for a pair that waits takes the place of the older one, and its turn. What is due is asked again from
    here on for silences and hours, like everything new; the rest stays.
    """
    plan = round_.plan
    nothing: dict[Pair, Entry] = {}
    for pair, entry in round_.store.read(read_outbox, nothing).items():
        item = decode(pair, entry, plan, round_.now)
        if plan.owns(item.alert.metric):
            round_.waiting[pair] = item
    _recall(round_)
    fresh, changed = [], []
    for item in round_.items:
        older = round_.waiting.get(item.pair)
        if older is None:
            fresh.append(item)
            continue
        if item.status != older.status:
            _stays_open(round_, item)
        if item.status == "firing" or older.status == "resolved":
            round_.waiting[item.pair] = _renewed(older, item)
            changed.append(item.pair)
        # else: perhaps nobody has been told yet that it fires, which comes first
    keep(round_, [round_.waiting[pair] for pair in changed])
    round_.items = fresh + take(round_, [item for item in round_.waiting.values() if _is_due(item, round_)])


def _recall(round_: Round) -> None:
    """Ask for the records of metrics that wait and that this run had no reason to look at."""
    metrics = sorted(
        {item.alert.metric for item in round_.waiting.values() if round_.record(item.alert.metric) is None}
    )
    nothing: dict[str, Lately] = {}
    if metrics:
        round_.before = {**round_.before, **round_.store.read(partial(read_lately, metrics=metrics), nothing)}


def _stays_open(round_: Round, item: Item) -> None:
    """Note again that a receiver may hold the metric open by itself: it was not told of the end, or may hear of it in company."""
    record = round_.lately.get(item.alert.metric)
    if record is not None:
        round_.lately[item.alert.metric] = opened(record, item.alert.strategy, None)


def _is_due(item: Item, round_: Round) -> bool:
    plan = round_.plan
    known = item.alert.strategy in plan.strategies  # else it waits until its strategy is back, or its time is over
    return known and item.due <= round_.now and item.attempts < plan.delivery.max_attempts


def _renewed(older: Item, newer: Item) -> Item:
    """The newer alert in the place of the older one."""
    alert = replace(newer.alert, recipients=older.alert.recipients) if older.partial else newer.alert
    return replace(older, alert=alert, row=newer.row, status=newer.status)


def take(round_: Round, items: Iterable[Item]) -> list[Item]:
    """Take these items out of those that wait."""
    taken = list(items)
    for item in taken:
        del round_.waiting[item.pair]
    return taken


def shelve(round_: Round) -> None:
    """Stage: have everything new in the outbox before it is sent, so that no crash loses it.

    The records of its metrics go along: whoever is told of an anomaly, by whichever run, is told of its end.
    """
    fresh = [item for item in round_.items if not item.stored]
    if not fresh:
        return

    def fill(batch: Batch) -> None:
        put_outbox(batch, {item.pair: encode(item) for item in fresh})
        metrics = {item.alert.metric for item in fresh if not item.ours}
        note(round_, batch, {metric: round_.lately[metric] for metric in metrics if metric in round_.lately})

    with_batch(round_, fill)
    round_.store.settle(SAFE_WITHIN)


def note(round_: Round, batch: Batch, records: Mapping[str, Lately]) -> None:
    """Put into a batch what is known now of some metrics."""
    round_.lately.update(records)
    round_.summary.noted |= records
    write_lately(batch, records)


def keep(round_: Round, items: Iterable[Item]) -> None:
    """Let items wait for a later run."""
    kept = {item.pair: replace(item, stored=True) for item in items}
    round_.waiting |= kept
    with_batch(round_, lambda batch: put_outbox(batch, {pair: encode(item) for pair, item in kept.items()}))


def forget(round_: Round, items: Iterable[Item]) -> None:
    """Let go of items for good."""
    pairs = [item.pair for item in items]
    with_batch(round_, lambda batch: drop_outbox(batch, pairs))


def retire(round_: Round) -> list[Item]:
    """Give up what has waited too long or was tried too often, and return it; it is still to be forgotten."""
    given_up = []
    for item in list(round_.waiting.values()):
        why = overdue(item, round_.now, round_.plan.delivery)
        if why:
            given_up.append(replace(item, reason=f"{item.reason or 'it was held back'} ({why})"))
    take(round_, given_up)
    for item in given_up:
        round_.summary.note(item, "dropped", item.reason)
        round_.held.discard(item.pair)
    return given_up


def overdue(item: Item, now: float, delivery: Delivery) -> str:
    """Why an item is not tried any more; empty as long as it is."""
    if math.isinf(item.since):
        return "it cannot be read"
    if item.attempts >= delivery.max_attempts:
        return f"after {item.attempts} attempts"
    waited = now - item.since
    return f"after {duration(int(waited))}" if waited > delivery.retry_for else ""


def postponed(item: Item, now: float, retry_after: float, random: Callable[[], float]) -> Item:
    """The item with its next turn: later at each attempt, by chance a little earlier, not before it was asked for."""
    pause = min(FIRST_PAUSE * 2.0 ** min(max(item.attempts - 1, 0), 30), LONGEST_PAUSE) * (0.5 + random() / 2)
    return replace(item, due=now + max(pause, min(retry_after, MOST_PATIENCE)))


def with_batch(round_: Round, fill: Callable[[Batch], None]) -> None:
    """Write changes that belong together."""
    batch = Batch()
    fill(batch)
    if batch.changes:
        round_.store.write(batch)
