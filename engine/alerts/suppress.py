"""Stage: what was told lately, or is not yet worth telling, is not told."""

from __future__ import annotations

from ridgeline.engine.alerts.item import Item
from ridgeline.engine.alerts.round import Round


def suppress(round_: Round) -> None:
    """Take out what was alerted within its expiration, was not anomalous in m of its last n runs, or is no news.

    What waits in the outbox was let through already. Where the past cannot be read, everything is let through.
    """
    fresh = [item for item in round_.items if not item.stored and item.status == "firing"]
    worth = [item for item in fresh if _is_worth_telling(round_, item)]
    asked = [item for item in worth if item.alert.expiration > 0]
    unknown: list[int | None] = [None] * len(asked)
    last = round_.store.read(lambda state: state.last_alerts([item.pair for item in asked]), unknown)
    told = {item.pair for item, at in zip(asked, last, strict=True) if at is not None and not _is_later(item, at)}
    kept = {id(item) for item in worth if item.pair not in told}
    out = [item for item in fresh if id(item) not in kept]
    gone = {id(item) for item in out}
    round_.items = [item for item in round_.items if id(item) not in gone]
    round_.summary.suppressed += len(out)
    round_.told += [item for item in out if _is_told_of(round_, item)]


def _is_later(item: Item, at: int) -> bool:
    """Whether an anomaly that was found late happened an expiration after the one last told of, at `at`."""
    return item.backdated and item.alert.timestamp >= at + item.alert.expiration


def _is_worth_telling(round_: Round, item: Item) -> bool:
    """Whether it was anomalous often enough, and is news to its strategy."""
    record = round_.lately.get(item.alert.metric)
    if item.row is None or record is None:
        return True
    plan = round_.plan
    runs = item.row.m_of_n or plan.m_of_n(item.alert.metric)
    if runs is not None and not record.m_of_n(*runs):
        return False
    return plan.second_order is None or plan.second_order(record, item.alert.strategy, item.alert.size)


def _is_told_of(round_: Round, item: Item) -> bool:
    """Whether its strategy needs to hear it again, and holds it open: what was suppressed from the start it never heard."""
    if not round_.plan.strategies[item.alert.strategy].renews:
        return False
    if item.ours:
        return True
    record = round_.lately.get(item.alert.metric)
    return record is not None and (item.alert.strategy, None) in record.open
