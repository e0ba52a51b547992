"""Alerts about ourselves: there is no data; alerts could not be delivered; batches fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ridgeline.alerters import Alert
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.plan import Plan
from ridgeline.io.text import escape

NO_DATA: Final = "ridgeline.no_data"
UNDELIVERED: Final = "ridgeline.undelivered"
PARKED: Final = "ridgeline.batch_parked"
NAMED: Final = 3  # metrics that a notice names


def no_data_items(sentence: str, judged: float, as_of: int, plan: Plan, now: float) -> list[Item]:
    """One item for every strategy, through the same stages as anomalies.

    `sentence` says what is missing; `judged` is the number of metrics that could be judged; `as_of` and `now` in epoch
    seconds.
    """
    return [_notice(NO_DATA, judged, as_of, sentence, name, plan, now) for name in plan.strategies]


def parked_items(metrics: Sequence[str], as_of: int, plan: Plan, now: float) -> list[Item]:
    """One item for every strategy where `batch` leaves metrics alone because it fails at them; none where it does not."""
    if not metrics:
        return []
    what = "1 metric is" if len(metrics) == 1 else f"{len(metrics):,} metrics are"
    sentence = (
        f"{what} not judged any more, because `ridgeline batch` failed at each of them several times "
        f"({_named(metrics)}): `ridgeline batch list` says why"
    )
    return [_notice(PARKED, float(len(metrics)), as_of, sentence, name, plan, now) for name in plan.strategies]


def undelivered_items(given_up: Sequence[Item], plan: Plan, now: float) -> Iterator[Item]:
    """For every strategy that lost alerts, one item for each of the others; those about ourselves are not told again."""
    lost: dict[str, list[Item]] = {}
    for item in given_up:
        if not item.ours:
            lost.setdefault(item.alert.strategy, []).append(item)
    for dead, items in lost.items():
        sentence = _sentence(dead, items)
        for name in plan.strategies:
            if name not in lost:
                yield _notice(UNDELIVERED, float(len(items)), int(now), sentence, name, plan, now, dead)


def _sentence(dead: str, items: Sequence[Item]) -> str:
    """What was lost and why."""
    what = "1 alert" if len(items) == 1 else f"{len(items):,} alerts"
    named = _named([item.alert.metric for item in items])
    return f"{what} could not be delivered by {dead} and will not be tried again: {items[0].reason} ({named})"


def _named(metrics: Sequence[str]) -> str:
    """The first of some metrics."""
    return ", ".join(map(escape, metrics[:NAMED])) + (", ..." if len(metrics) > NAMED else "")


def _notice(
    metric: str, value: float, timestamp: int, sentence: str, strategy: str, plan: Plan, now: float, about: str = ""
) -> Item:
    recipients, metric = plan.strategies[strategy].default_recipients, plan.own(metric)
    alert = Alert(
        metric,
        value,
        timestamp,
        expiration=plan.delivery.no_data_expiration,
        strategy=strategy,
        recipients=recipients,
        message=sentence,
    )
    return Item(alert, subject=f"{metric}.{about}" if about else "", since=now, due=now)
