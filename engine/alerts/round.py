"""One delivery as a value that its stages work on."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from ridgeline.engine.alerts.group import Parcel
from ridgeline.engine.alerts.item import Item, Pair
from ridgeline.engine.alerts.lately import Lately
from ridgeline.engine.alerts.pictures import Album
from ridgeline.engine.alerts.plan import Plan
from ridgeline.engine.alerts.store import Store
from ridgeline.engine.alerts.summary import Summary


@dataclass(slots=True)
class Round:
    """What is to be delivered now, and what has become of it.

    now      epoch seconds
    lately   the records of lately anomalous metrics, told of what is sent
    fleet    how many metrics were judged, 0 if that is unknown
    album    where pictures of the top alerts come from; None: none are drawn
    before   the records as the runs before left them, of metrics that this run did not judge too
    items    on their way to being sent; a stage that ends the way of one takes it out and counts it
    waiting  items of the outbox that are not due, or not yet asked
    held     those of the waiting ones that are muted now
    parcels  messages made of the items
    told     suppressed items that their strategy was told of, and that end there unless they are renewed
    """

    plan: Plan
    store: Store
    now: float
    lately: MutableMapping[str, Lately] = field(default_factory=dict)
    fleet: int = 0
    album: Album | None = None
    before: Mapping[str, Lately] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    waiting: dict[Pair, Item] = field(default_factory=dict)
    held: set[Pair] = field(default_factory=set)
    parcels: list[Parcel] = field(default_factory=list)
    told: list[Item] = field(default_factory=list)
    summary: Summary = field(default_factory=Summary)

    def record(self, metric: str) -> Lately | None:
        """What is known of a metric that was anomalous lately, whether this run judged it or not."""
        return self.lately.get(metric) or self.before.get(metric)
