"""Stage: what was told lately, or is not yet worth telling, is not told."""

from __future__ import annotations

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.round import Round


def suppress(round_: Round) -> None:
    """Take out what was alerted within its expiration, and what was not anomalous in m of its last n runs.

    What waits in the outbox was let through already. Where the past cannot be read, everything is let through.
    """
    fresh = [
        item for item in round_.items if not item.stored and item.status == "firing" and _often_enough(round_, item)
    ]
    asked = [item.pair for item in fresh if item.alert.expiration > 0]
    unknown: list[int | None] = [None] * len(asked)
    last = round_.store.read(lambda state: state.last_alerts(asked), unknown)
    told = {pair for pair, at in zip(asked, last, strict=True) if at is not None}
    kept = {id(item) for item in fresh if item.pair not in told}
    before = len(round_.items)
    round_.items = [item for item in round_.items if item.stored or item.status != "firing" or id(item) in kept]
    round_.summary.suppressed += before - len(round_.items)


def _often_enough(round_: Round, item: Item) -> bool:
    if item.row is None:
        return True
    runs = item.row.m_of_n or round_.plan.m_of_n(item.alert.metric)
    record = round_.lately.get(item.alert.metric)
    return runs is None or record is None or record.m_of_n(*runs)
