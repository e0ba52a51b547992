"""What a run and Skyline's newest results have in common, and what not."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ridgeline.engine.report.text import number
from ridgeline.io.text import escape

SHOWN: Final = 10  # names, of each side


@dataclass(frozen=True, slots=True)
class Compared:
    """How many metrics both sides name, and those that only one does, sorted."""

    both: int
    only_ours: list[str]
    only_theirs: list[str]

    @classmethod
    def of(cls, ours: AbstractSet[str], theirs: AbstractSet[str]) -> Compared:
        """Compare two sets of names."""
        return cls(len(ours & theirs), sorted(ours - theirs), sorted(theirs - ours))

    def as_json(self) -> dict[str, Any]:
        """The object."""
        return {"both": self.both, "only_ours": self.only_ours, "only_theirs": self.only_theirs}

    def lines(self, what: str) -> Iterator[str]:
        """For people: the counts, then the first names of each side."""
        ours, theirs = len(self.only_ours), len(self.only_theirs)
        yield f"{what}: both {self.both:,}, only Ridgeline {ours:,}, only Skyline {theirs:,}"
        for who, names in (("Ridgeline", self.only_ours), ("Skyline", self.only_theirs)):
            for name in names[:SHOWN]:
                yield f"  only {who}: {escape(name)}"
            if len(names) > SHOWN:
                yield f"  ... and {len(names) - SHOWN:,} more of {who}'s"


@dataclass(frozen=True, slots=True)
class Difference:
    """`epoch` of the results that were compared with; anomalies; other outcomes by name, and when those were written."""

    epoch: int
    anomalous: Compared
    outcomes: dict[str, Compared] = field(default_factory=dict)
    updated_at: dict[str, int | None] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The object `shadow` of `--json`."""
        outcomes = {
            name: {"updated_at": self.updated_at[name], **each.as_json()} for name, each in self.outcomes.items()
        }
        return {"compared_with": self.epoch, **self.anomalous.as_json(), "outcomes": outcomes}

    def lines(self) -> Iterator[str]:
        """The report for people."""
        compared = self.anomalous.both + len(self.anomalous.only_ours) + len(self.anomalous.only_theirs)
        yield f"compared with Skyline's run of {_instant(self.epoch)} UTC: {number(compared, 'anomaly', 'anomalies')} in all"
        yield from self.anomalous.lines("anomalous")
        for name, each in self.outcomes.items():
            at = self.updated_at[name]
            yield from each.lines(name if at is None else f"{name}, as Skyline told from {_instant(at)} on")


def _instant(epoch: int) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S}"
