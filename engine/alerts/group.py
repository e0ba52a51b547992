"""Stage: alerts become messages: single ones, groups, and one for a storm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ridgeline.alerters import Message
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.strategy import Strategy

if TYPE_CHECKING:
    from ridgeline.engine.alerts.round import Round

MOST: Final = 1000  # members of one message to a channel that sends each by itself


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A message and the items it is made of, in the same order.

    tries     how often it was sent in this run
    renewal   whether it repeats what was told: nothing is counted, recorded or kept of it
    """

    message: Message
    items: tuple[Item, ...]
    tries: int = 0
    renewal: bool = False

    @property
    def strategy(self) -> str:
        """The strategy it goes to."""
        return self.message.strategy

    @property
    def attempts(self) -> int:
        """The fewest attempts that any of its items has seen: 0 where one is new."""
        return min(item.attempts for item in self.items)

    def of(self, items: Sequence[Item]) -> Parcel:
        """The same parcel with only these items in it."""
        alerts = tuple(item.alert for item in items)
        message = replace(self.message, alerts=alerts, recipients=alerts[0].recipients)
        return replace(self, message=message, items=tuple(items))


def group(round_: Round) -> None:
    """Make parcels of all items, by strategy and rule.

    What is grouped is counted here, after suppression, silences and hours. Alerts about Ridgeline itself stand alone.
    """
    above = round_.plan.delivery.group_above
    made: dict[tuple[str, str, str], list[Item]] = {}
    for item in round_.items:
        strategy = round_.plan.strategies[item.alert.strategy]
        alone = item.ours or item.storm or (strategy.groups != "never" and item.row is not None and not item.row.group)
        # A channel that sends each by itself takes all rules together, over one connection.
        rule = item.alert.rule if strategy.groups != "never" else ""
        key = (strategy.name, f"alone {item.pair}" if alone else f"rule {rule}", item.status)
        made.setdefault(key, []).append(item)
    round_.items = []
    for (name, _, _), items in made.items():
        items.sort(key=lambda item: item.alert.rank)
        for parcel in _parcels(round_.plan.strategies[name], items, above):
            round_.parcels.append(replace(parcel, message=replace(parcel.message, fleet=round_.fleet)))


def _parcels(strategy: Strategy, items: list[Item], above: int) -> Iterator[Parcel]:
    """The messages of one rule, as the channel likes them.

    What was told metric by metric ends so too; the end of a storm is one item.
    """
    many = len(items) > above and not (strategy.groups == "one by one" and items[0].status == "resolved")
    storm = items[0].storm or (many and strategy.groups != "never")
    for some in _by_recipients(items):
        if storm or strategy.groups == "together":
            yield _parcel(some, storm=storm)
        elif strategy.groups == "never":
            for first in range(0, len(some), MOST):
                yield _parcel(some[first : first + MOST], storm=False)
        else:
            for item in some:
                yield _parcel([item], storm=False)


def _by_recipients(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items of one rule, apart where they go to different people."""
    found: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        found.setdefault(item.alert.recipients, []).append(item)
    yield from found.values()


def _parcel(items: list[Item], *, storm: bool) -> Parcel:
    first = items[0]
    alerts = tuple(item.alert for item in items)
    message = Message(
        first.alert.strategy, alerts, first.alert.rule, first.status, storm=storm, recipients=first.alert.recipients
    )
    return Parcel(message, tuple(items))
