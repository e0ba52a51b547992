"""Operators' silences: a pattern of metrics that is not alerted for a while."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ridgeline.engine.rules.pattern import pattern_of
from ridgeline.io.errors import InputError
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import SILENCES


@dataclass(frozen=True, slots=True)
class Silence:
    """No alerts about metrics that match, on one strategy or (empty) on all, `until` then (epoch seconds).

    `why` and `by` are for people. The same pattern and strategy are the same silence: a later one takes its place.
    """

    match: str
    until: float
    strategy: str = ""
    why: str = ""
    by: str = ""

    @property
    def id(self) -> str:
        """Eight digits that name it."""
        return hashlib.sha256(f"{self.strategy}\0{self.match}".encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def as_json(self) -> dict[str, Any]:
        """As `silence list --json` shows it, in that order."""
        told = asdict(self)
        return {"id": self.id, **{key: told[key] for key in ("match", "strategy", "until", "why", "by")}}


def read_silences(state: State, now: float) -> list[Silence]:
    """Those in force, soonest to end first; damaged ones and those that are over are passed over."""
    found = [_decode(value) for value in state.fields(SILENCES).values()]
    return sorted((one for one in found if one is not None and one.until > now), key=lambda one: (one.until, one.id))


def begin_silence(state: State, silence: Silence, now: float) -> None:
    """Store a silence, and forget those that are over. Raises InputError for what is no pattern, and StateError."""
    pattern_of(silence.match)
    stored = state.fields(SILENCES)
    over = [name for name, value in stored.items() if (one := _decode(value)) is None or one.until <= now]
    batch = Batch()
    batch.drop(SILENCES, over)
    batch.put(SILENCES, {silence.id: silence.as_json()})
    state.apply(batch)


def end_silence(state: State, which: str, now: float) -> list[Silence]:
    """End the silences with this id or pattern, and return them. Raises StateError."""
    ended = [one for one in read_silences(state, now) if which in {one.id, one.match}]
    batch = Batch()
    batch.drop(SILENCES, [one.id for one in ended])
    if ended:
        state.apply(batch)
    return ended


def silenced(silences: Sequence[Silence], strategy: str) -> list[Silence]:
    """Those that apply to a strategy."""
    return [one for one in silences if one.strategy in {"", strategy}]


def _decode(value: Any) -> Silence | None:
    try:
        found = Silence(
            str(value["match"]), float(value["until"]), str(value["strategy"]), str(value["why"]), str(value["by"])
        )
        pattern_of(found.match)
    except (TypeError, ValueError, KeyError, InputError):
        return None
    return found
