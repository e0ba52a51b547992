"""What the books say before a run adds to them: asked once, in two or three round trips."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from ridgeline.engine.run.hosts import Sign, own_key, sign_key
from ridgeline.engine.run.turn import Turn
from ridgeline.io.redis.ledger import Fields, Ledger, Members, Question, Strings
from ridgeline.io.shard import Shards
from ridgeline.io.state.interface import StateError

NOTES: Final = "ridgeline.books"
NOTES_KEPT: Final = 86400  # seconds
TIMER: Final = "analyzer.algorithm.exception.metric.sets"
PANORAMA: Final = "panorama.alerts"


@dataclass(frozen=True, slots=True)
class Notes:
    """What a run notes for the next one's books.

    runs            how many there were
    as_of           the clock of the last one, epoch seconds; 0: there was none
    stale_periods   whether it published some
    """

    runs: int = 0
    as_of: int = 0
    stale_periods: bool = False

    @classmethod
    def read(cls, text: str | None) -> Notes:
        """The notes; those of a first run where there are none, or none that make sense."""
        try:
            found: Any = json.loads(text or "{}")
            return cls(int(found["runs"]), int(found["as_of"]), bool(found["stale_periods"]))
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
            return cls()

    def text(self) -> str:
        """As it is stored."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Past:
    """The books as the runs before left them; `known` only where they could be read.

    rotates   whether the period is over after which metrics without a verdict are counted anew
    members   of the sets that this run could not look through as a whole
    alerted   Panorama's list of alerts, where something is to be added to it
    signs     of life that this host, and those it takes over, left last, where several share the fleet
    """

    known: bool = False
    notes: Notes = Notes()
    rotates: bool = False
    members: Mapping[str, set[str]] = field(default_factory=dict)
    alerted: Mapping[str, str] = field(default_factory=dict)
    signs: Mapping[str, Sign | None] = field(default_factory=dict)

    @classmethod
    def read(cls, ledger: Ledger, shards: Shards, sets: list[str], *, alerts: bool) -> Past:
        """Ask for the notes, for these sets, and for Panorama's list if there are alerts. Raises StateError."""
        hosts = [shards.host, *shards.take_over] if shards.hosts else []
        texts = [own_key(shards, NOTES), TIMER, *map(sign_key, hosts)]
        questions: list[Question] = [Strings(texts), *map(Members, sets)]
        (notes, timer, *signs), *found = ledger.ask(*questions, *([Fields(PANORAMA)] if alerts else []))
        members = dict(zip(sets, found, strict=False))
        signed = dict(zip(hosts, map(Sign.read, signs), strict=True))
        return cls(True, Notes.read(notes), timer is None, members, found[-1] if alerts else {}, signed)


def look_back(turn: Turn, ledger: Ledger, sets: list[str]) -> Past:
    """The books before this run. What cannot be read is noted, and nothing is known of it."""
    try:
        return Past.read(ledger, turn.request.config.shards, [] if turn.whole else sets, alerts=bool(turn.arrived))
    except StateError as error:
        turn.unkept.append(error)
        return Past()
