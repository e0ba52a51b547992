"""What becomes of a message after an attempt: recorded, kept for later, or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ridgeline.alerters import Outcome
from ridgeline.engine.alerts.entry import encode
from ridgeline.engine.alerts.group import Parcel
from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.lately import opened, told
from ridgeline.engine.alerts.outbox import keep, note, postponed, with_batch
from ridgeline.engine.alerts.round import Round
from ridgeline.io.state.batch import Alerted, Batch
from ridgeline.io.state.outbox import drop_outbox, put_outbox


@dataclass(slots=True)
class Records:
    """The clerk of a round. `refused` is what receivers refused for good; it waits until others have been told of it."""

    round_: Round
    random: Callable[[], float]
    refused: list[Item] = field(default_factory=list)

    def settle(self, parcel: Parcel, outcome: Outcome) -> Parcel | None:
        """Record what arrived as soon as it has, and never before; all members of a group together, or none.

        Returns what is still to be sent: the members after the one that failed, and that one again unless it is refused.
        """
        if parcel.renewal:
            self._note_renewal(parcel, outcome)
            return None
        if outcome.kind == "sent" and not outcome.deferred:
            self._arrived(parcel, parcel.items, outcome)
            return None
        if outcome.delivered:
            return self._arrived_in_part(parcel, outcome)
        arrived, rest = parcel.items[: outcome.arrived], parcel.items[outcome.arrived :]
        if arrived:
            self._arrived(parcel, arrived, outcome)
        each = self.round_.plan.strategies[parcel.strategy].groups == "never"
        failed, others = (rest[:1], rest[1:]) if each else (rest, ())
        if not outcome.again:
            self._refuse(failed, outcome.reason)
            failed = ()
        left = (*others, *(self._later(item, outcome) for item in failed))
        tries = parcel.tries + (1 if failed else 0)
        return replace(parcel.of(left), tries=tries) if left else None

    def postpone(self, parcel: Parcel, reason: str) -> None:
        """Leave every member in the outbox, with the reason of those that were not tried."""
        if parcel.renewal:
            return
        keep(self.round_, [item if item.reason else replace(item, reason=reason) for item in parcel.items])

    def _arrived(self, parcel: Parcel, items: Sequence[Item], outcome: Outcome) -> None:
        """Remember each for its expiration, and let go of it in the outbox."""

        def fill(batch: Batch) -> None:
            self._tell(batch, items, parcel)
            drop_outbox(batch, [item.pair for item in items])

        with_batch(self.round_, fill)
        summary = self.round_.summary
        summary.sent += len(items)
        summary.arrived += items
        summary.messages += len(items) if self._one_by_one(parcel) else 1
        if outcome.refused:
            summary.reasons[parcel.strategy, "refused", f"{', '.join(outcome.refused)}: {outcome.reason}"] += len(items)

    def _arrived_in_part(self, parcel: Parcel, outcome: Outcome) -> Parcel:
        """Some people have it: remember that, and keep it for the others alone."""
        items = [
            replace(self._later(item, outcome), alert=replace(item.alert, recipients=outcome.deferred), partial=True)
            for item in parcel.items
        ]

        def fill(batch: Batch) -> None:
            self._tell(batch, items, parcel)
            put_outbox(batch, {item.pair: encode(item) for item in items})

        with_batch(self.round_, fill)
        self.round_.summary.arrived += items
        return replace(parcel.of(items), tries=parcel.tries + 1)

    def _note_renewal(self, parcel: Parcel, outcome: Outcome) -> None:
        """Say what failed: the next run does the same again."""
        if outcome.kind != "sent":
            self.round_.summary.reasons[parcel.strategy, "unrenewed", outcome.reason] += len(parcel.items)

    def _later(self, item: Item, outcome: Outcome) -> Item:
        """The item after an attempt that failed, with its next turn."""
        now = self.round_.now
        first = item.due <= now  # in this run: what was tried in it already has a later turn
        tried = replace(item, attempts=item.attempts + first, reason=outcome.reason)
        return postponed(tried, now, outcome.retry_after or 0.0, self.random)

    def _tell(self, batch: Batch, items: Sequence[Item], parcel: Parcel) -> None:
        """Put into a batch that these alerts were told, and what receivers hold open now."""
        firing = [item for item in items if item.status == "firing"]
        batch.alerted(
            Alerted(*item.pair, item.alert.timestamp, item.alert.expiration)
            for item in firing
            if item.alert.expiration > 0
        )
        strategy = self.round_.plan.strategies[parcel.strategy]
        storm = parcel.message.rule if parcel.message.storm and strategy.groups == "one by one" else None
        records = {}
        for item in firing:
            record = None if item.ours else self.round_.record(item.alert.metric)
            if record is not None:
                record = told(record, strategy.name, item.alert.size)
                records[item.alert.metric] = opened(record, strategy.name, storm) if strategy.resolves else record
        note(self.round_, batch, records)

    def _refuse(self, items: Sequence[Item], reason: str) -> None:
        self.refused += [replace(item, reason=reason) for item in items]
        for item in items:
            self.round_.summary.note(item, "failed", reason)

    def _one_by_one(self, parcel: Parcel) -> bool:
        return self.round_.plan.strategies[parcel.strategy].groups == "never"
