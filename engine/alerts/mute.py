"""Stage: what nobody wants to hear now is not sent: silences, Skyline's pauses and mutes, hours, `no_email`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ridgeline.alerters import utc
from ridgeline.engine.alerts.item import Item, Pair
from ridgeline.engine.alerts.match import wanted
from ridgeline.engine.alerts.outbox import keep
from ridgeline.engine.alerts.round import Round
from ridgeline.engine.alerts.silence import Silence, read_silences, silenced
from ridgeline.engine.rules.matching import Patterns

NOBODY_WANTS: Final = "its recipient no_email stands for nobody"


def mute(round_: Round) -> None:
    """Take out what is muted now: neither sent nor recorded.

    A new firing is forgotten, since the next run finds it again if it lasts. What waits in the outbox, and what says that
    all is normal again, is held until the mute is over; no attempt is counted.
    """
    passed, muted = heard(round_, round_.items)
    round_.summary.muted += len(muted)
    held = [item for item in muted if item.stored or item.status == "resolved"]
    keep(round_, [item for item in held if not item.stored])
    round_.waiting |= {item.pair: item for item in held if item.stored}
    round_.held |= {item.pair for item in held}
    round_.items = passed


def heard(round_: Round, items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """The items that somebody wants to hear now, and the others."""
    none: list[Silence] = []
    silences = round_.store.read(lambda state: read_silences(state, round_.now), none)
    pairs = [told_of(item) for item in items]
    paused = round_.store.read(lambda state: state.operators(pairs), [0.0] * len(pairs))
    quiet = why_muted(items, silences, paused, round_.now)
    passed: list[Item] = []
    muted: list[Item] = []
    for item in items:
        (passed if item.pair not in quiet and in_hours(item, round_.now) else muted).append(item)
    return passed, muted


def told_of(item: Item) -> Pair:
    """What operators of Skyline call it: its strategy and metric."""
    return item.alert.strategy, item.alert.metric


def in_hours(item: Item, now: float) -> bool:
    """Whether its rule alerts at this hour."""
    hours = None if item.row is None else item.row.schedule
    return hours is None or hours.open_at(now)


def why_muted(
    items: Sequence[Item], silences: Sequence[Silence], paused: Sequence[float], now: float
) -> dict[Pair, str]:
    """Why those that are muted are, in words; the others are left out.

    `paused`: until when operators of Skyline paused or muted each, epoch seconds.
    """
    found = {item.pair: NOBODY_WANTS for item in items if not wanted(item)}
    found |= {
        item.pair: f"an operator of Skyline paused it{f' until {utc(int(until))}' if math.isfinite(until) else ''}"
        for item, until in zip(items, paused, strict=True)
        if until > now
    }
    for strategy in {item.alert.strategy for item in items} if silences else ():
        some = [item for item in items if item.alert.strategy == strategy]
        theirs = silenced(silences, strategy)
        first = Patterns(one.match for one in theirs).first([item.alert.metric for item in some])
        found |= {item.pair: theirs[at].words for item, at in zip(some, first.tolist(), strict=True) if at >= 0}
    return found
