"""Stage: those who were told of an anomaly, and know the word, are told that it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.lately import Lately, closed, opened
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.outbox import SAFE_WITHIN, forget, note, take
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.state.batch import Batch

if TYPE_CHECKING:
    from ridgeline.engine.alerts.round import Round

STORM: Final = "ridgeline.storm"  # with a rule behind it, what the end of its storm waits by


def resolve(round_: Round, normal: Sequence[Anomaly]) -> None:
    """Add an item for each metric that a receiver holds open and that was normal in enough runs, and for storms.

    `normal`: lately anomalous metrics that this run found normal.

    A storm is over with the last of its members. The records note that the end is on its way: the outbox keeps it.
    """
    held = [one for one in normal if one.metric in round_.lately and round_.lately[one.metric].open]
    items, _ = match_rules(held, round_.plan, round_.now, "resolved")
    left: dict[tuple[str, str], Item] = {}
    for item in items:
        strategy, record = round_.plan.strategies.get(item.alert.strategy), round_.lately[item.alert.metric]
        if strategy is None or record.ongoing(strategy.resolve_after):
            continue
        storms = [storm for name, storm in record.open if name == strategy.name]
        round_.lately[item.alert.metric] = closed(record, strategy.name)
        if None in storms:
            round_.items.append(item)
        left |= {(strategy.name, storm): item for storm in storms if storm is not None}
    round_.items += _storms(left, {**round_.before, **round_.lately}) if left else ()


def _storms(left: Mapping[tuple[str, str], Item], records: Mapping[str, Lately]) -> Iterator[Item]:
    """The ends of the storms that nobody is part of any more."""
    going_on = {pair for record in records.values() for pair in record.open}
    for (strategy, rule), item in left.items():
        if (strategy, rule) not in going_on:
            yield replace(item, alert=replace(item.alert, rule=rule), subject=f"{STORM}.{rule}", storm=True)


def expect(round_: Round) -> None:
    """Stage: note what receivers are about to hold open by keys that depend on the company of a metric.

    So it is closed also where we die before we know that it arrived, and what is sent again goes in other company.
    """
    batch = Batch()
    for parcel in round_.parcels:
        strategy = round_.plan.strategies[parcel.strategy]
        if not parcel.message.resolved and strategy.resolves and strategy.groups == "one by one":
            storm = parcel.message.rule if parcel.message.storm else None
            known = {item.alert.metric: round_.record(item.alert.metric) for item in parcel.items if not item.ours}
            note(
                round_,
                batch,
                {
                    metric: opened(record, strategy.name, storm)
                    for metric, record in known.items()
                    if record is not None and (strategy.name, storm) not in record.open
                },
            )
    if batch.changes:
        round_.store.write(batch)
        round_.store.settle(SAFE_WITHIN)


def supersede(round_: Round) -> None:
    """Stage: a storm that begins again takes the place of the news that it is over."""
    begun = {
        (parcel.strategy, f"{STORM}.{parcel.message.rule}")
        for parcel in round_.parcels
        if parcel.message.storm and not parcel.message.resolved
    }
    late = [round_.waiting[pair] for pair in begun if pair in round_.waiting]
    now = [parcel for parcel in round_.parcels if parcel.items[0].storm and parcel.items[0].pair in begun]
    take(round_, late)
    round_.parcels = [parcel for parcel in round_.parcels if parcel not in now]
    forget(round_, [*late, *(parcel.items[0] for parcel in now)])
