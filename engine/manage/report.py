"""What a pass found and changed, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ridgeline.engine.manage.lists import Change
from ridgeline.engine.run.turn import PARTIAL
from ridgeline.io.text import escape, truncate

SHOWN: Final = 10  # names of a change that a dry run shows
LONGEST: Final = 120  # bytes of one


@dataclass(slots=True)
class Report:
    """One pass.

    metrics    how many there are (this host's)
    changes    by key what became of it; of keys that did change, or were to, where `unwritten` says that not all was written
    numbers    densities of the whole fleet by Skyline's names; none where they are not known
    problems   sentences for people, of which `faults` decide the exit code
    """

    metrics: int = 0
    changes: dict[str, Change] = field(default_factory=dict)
    unwritten: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
    exit: int = 0

    def find(self, code: int, problem: str) -> None:
        """Note something that went wrong; the first code that is noted stays."""
        self.exit = self.exit or code
        self.problems.append(problem)

    def tell_failures(self, failed: Mapping[str, str]) -> None:
        """Note why some keys could not be looked through."""
        for why in failed.values():
            self.find(PARTIAL, why)

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        changes = {
            key: {"added": len(change.added), "removed": len(change.removed)} for key, change in self.changes.items()
        }
        return {"metrics": self.metrics, "changes": changes, "seconds": round(self.seconds, 3)}

    def as_text(self, *, names: bool) -> str:
        """For people; with `names` also what is added and removed."""
        return "\n".join(self._lines(names=names))

    def as_line(self) -> str:
        """In one line."""
        lists = "1 list" if len(self.changes) == 1 else f"{len(self.changes):,} lists"
        done = "to change, not all of it written" if self.unwritten else "changed"
        changed = f"{lists} {done}" if self.changes else "nothing changed"
        return f"{self.metrics:,} metrics, {changed}, {self.seconds:.1f} s"

    def _lines(self, *, names: bool) -> Iterator[str]:
        yield self.as_line()
        width = max(map(len, self.changes), default=0)
        for key, change in self.changes.items():
            yield f"  {key:<{width}}  +{len(change.added):,} -{len(change.removed):,}"
            if names:
                yield from _shown("+", change.added)
                yield from _shown("-", change.removed)


def _shown(sign: str, words: Sequence[str]) -> Iterator[str]:
    for word in words[:SHOWN]:
        yield f"    {sign} {truncate(escape(word), LONGEST)}"
    if len(words) > SHOWN:
        yield f"    {sign} and {len(words) - SHOWN:,} more"
