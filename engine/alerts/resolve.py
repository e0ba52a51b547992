"""Stage: those who were told of an anomaly, and know the word, are told that it is over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.lately import Lately, closed
from ridgeline.engine.alerts.match import match_rules
from ridgeline.engine.alerts.outbox import forget, take
from ridgeline.engine.score.anomaly import Anomaly

if TYPE_CHECKING:
    from ridgeline.engine.alerts.round import Round

STORM: Final = "ridgeline.storm"  # with a rule behind it, what the end of its storm waits by


def resolve(round_: Round, normal: Sequence[Anomaly], before: Mapping[str, Lately]) -> None:
    """Add an item for each metric that a receiver holds open and that was normal in enough runs, and for storms.

    normal   lately anomalous metrics that this run found normal
    before   the records of all such metrics, as the runs before left them

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
    round_.items += _storms(left, {**before, **round_.lately}) if left else ()


def _storms(left: Mapping[tuple[str, str], Item], records: Mapping[str, Lately]) -> Iterator[Item]:
    """The ends of the storms that nobody is part of any more."""
    going_on = {pair for record in records.values() for pair in record.open}
    for (strategy, rule), item in left.items():
        if (strategy, rule) not in going_on:
            yield replace(item, alert=replace(item.alert, rule=rule), subject=f"{STORM}.{rule}", storm=True)


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
