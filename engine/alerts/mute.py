"""Stage: what nobody wants to hear now is not sent: silences, Skyline's pauses and mutes, hours, `no_email`."""

from __future__ import annotations

from ridgeline.engine.alerts.item import Item, Pair
from ridgeline.engine.alerts.match import wanted
from ridgeline.engine.alerts.outbox import keep
from ridgeline.engine.alerts.round import Round
from ridgeline.engine.alerts.silence import Silence, read_silences, silenced
from ridgeline.engine.rules.matching import Patterns


def mute(round_: Round) -> None:
    """Take out what is muted now: neither sent nor recorded.

    A new firing is forgotten, since the next run finds it again if it lasts. What waits in the outbox, and what says that
    all is normal again, is held until the mute is over; no attempt is counted.
    """
    none: list[Silence] = []
    silences = round_.store.read(lambda state: read_silences(state, round_.now), none)
    quiet = _by_operators(round_) | _by_silences(round_.items, silences)
    passed, held = [], []
    for item in round_.items:
        hours = None if item.row is None else item.row.schedule
        if item.pair not in quiet and wanted(item) and (hours is None or hours.open_at(round_.now)):
            passed.append(item)
            continue
        round_.summary.muted += 1
        if item.stored or item.status == "resolved":
            held.append(item)
    keep(round_, [item for item in held if not item.stored])
    round_.waiting |= {item.pair: item for item in held if item.stored}
    round_.held |= {item.pair for item in held}
    round_.items = passed


def _by_operators(round_: Round) -> set[Pair]:
    """Those that operators of Skyline paused or muted."""
    pairs = [(item.alert.strategy, item.alert.metric) for item in round_.items]
    until = round_.store.read(lambda state: state.operators(pairs), [0.0] * len(pairs))
    return {item.pair for item, end in zip(round_.items, until, strict=True) if end > round_.now}


def _by_silences(items: list[Item], silences: list[Silence]) -> set[Pair]:
    """Those that a silence matches."""
    found: set[Pair] = set()
    if not silences:
        return found
    for strategy in {item.alert.strategy for item in items}:
        some = [item for item in items if item.alert.strategy == strategy]
        matched = Patterns(one.match for one in silenced(silences, strategy)).any([item.alert.metric for item in some])
        found.update(item.pair for item, is_in in zip(some, matched.tolist(), strict=True) if is_in)
    return found
