"""Operators' silences: a pattern of metrics that is not alerted for a while."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from ridgeline.alerters import utc
from ridgeline.engine.rules.pattern import pattern_of
from ridgeline.io.errors import InputError
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import SILENCES

MOST: Final = 1000  # in force at once: each is asked about every anomaly
LONGEST: Final = 500  # characters of a reason


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

    @property
    def words(self) -> str:
        """What it says, for people."""
        what = f'"{self.match}"' if self.match else "every metric"
        on = f" on {self.strategy}" if self.strategy else ""
        by = f" by {self.by}" if self.by else ""
        return f"silence {self.id} of {what}{on}{by} until {utc(int(self.until))}{f': {self.why}' if self.why else ''}"

    def as_json(self) -> dict[str, Any]:
        """As `silence list --json` shows it, in that order."""
        told = {**asdict(self), "until": math.ceil(self.until)}
        return {"id": self.id, **{key: told[key] for key in ("match", "strategy", "until", "why", "by")}}


def read_silences(state: State, now: float) -> list[Silence]:
    """Those in force, soonest to end first; damaged ones and those that are over are passed over."""
    found = [_decode(value) for value in state.fields(SILENCES).values()]
    return sorted((one for one in found if one is not None and one.until > now), key=lambda one: (one.until, one.id))


def begin_silence(state: State, silence: Silence, now: float) -> Silence | None:
    """Store a silence, forget those that are over, and return the one whose place it takes, if any.

    Raises InputError for what is no pattern, a reason that is a novel, and one silence too many; and StateError.
    """
    pattern_of(silence.match)
    if len(silence.why) > LONGEST:
        raise InputError(f"a reason has at most {LONGEST} characters, not {len(silence.why):,}")
    stored = {name: _decode(value) for name, value in state.fields(SILENCES).items()}
    over = [name for name, one in stored.items() if one is None or one.until <= now]
    before = None if silence.id in over else stored.get(silence.id)
    if before is None and len(stored) - len(over) >= MOST:
        raise InputError(f"{MOST:,} silences are in force already: end some, or write one pattern for several")
    batch = Batch()
    batch.drop(SILENCES, over)
    batch.put(SILENCES, {silence.id: silence.as_json()})
    state.apply(batch)
    return before


def end_silence(state: State, which: str, now: float, strategy: str | None = None) -> list[Silence]:
    """End the silences with this id or pattern, of one strategy or of all, and return them. Raises StateError."""
    ended = [
        one for one in read_silences(state, now) if which in {one.id, one.match} and strategy in {None, one.strategy}
    ]
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
    return found if math.isfinite(found.until) else None
