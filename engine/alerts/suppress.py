"""Stage: what was told lately, or is not yet worth telling, is not told."""

from __future__ import annotations

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.round import Round


def suppress(round_: Round) -> None:
    """Take out what was alerted within its expiration, and what was not anomalous in m of its last n runs.

    What waits in the outbox was let through already. Where the past cannot be read, everything is let through.
    """
    fresh = [item for item in round_.items if not item.stored and item.status == "firing"]
    often = [item for item in fresh if _often_enough(round_, item)]
    asked = [item.pair for item in often if item.alert.expiration > 0]
    unknown: list[int | None] = [None] * len(asked)
    last = round_.store.read(lambda state: state.last_alerts(asked), unknown)
    told = {pair for pair, at in zip(asked, last, strict=True) if at is not None}
    kept = {id(item) for item in often if item.pair not in told}
    out = [item for item in fresh if id(item) not in kept]
    gone = {id(item) for item in out}
    round_.items = [item for item in round_.items if id(item) not in gone]
    round_.summary.suppressed += len(out)
    round_.told += [item for item in out if _is_told_of(round_, item)]


def _often_enough(round_: Round, item: Item) -> bool:
    if item.row is None:
        return True
    runs = item.row.m_of_n or round_.plan.m_of_n(item.alert.metric)
    record = round_.lately.get(item.alert.metric)
    return runs is None or record is None or record.m_of_n(*runs)


def _is_told_of(round_: Round, item: Item) -> bool:
    """Whether its strategy needs to hear it again, and was told of this very incident, not of one before it."""
    if not round_.plan.strategies[item.alert.strategy].renews:
        return False
    if item.ours:
        return True
    record = round_.lately.get(item.alert.metric)
    return record is not None and item.alert.strategy in record.incident.alerted
