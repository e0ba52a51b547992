"""What came of a sync: for each peer what was fetched, refused, failed and left, in numbers and sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ridgeline.io.errors import AuthenticationFailed, OutputError, SourceUnavailable
from ridgeline.io.state.interface import StateError

Status = Literal["ok", "partial", "unreachable", "unauthorised", "waiting"]
MOST_SAID: Final = 3  # sentences about one peer
PARTIAL: Final = StateError.exit_code
AWAY: Final = frozenset({"unreachable", "unauthorised", "waiting"})


@dataclass(slots=True)
class PeerTally:
    """Of one peer. `sets` are those that are here whole since this sync; `refused` and `failed` count by reason.

    absent    sets that it has no files of
    waiting   sets that failed before and are left alone for a while
    left      sets that there was no time for
    """

    peer: str
    status: Status = "ok"
    sets: int = 0
    files: int = 0
    bytes: int = 0
    absent: int = 0
    waiting: int = 0
    left: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def refuse(self, reason: str, sentence: str) -> None:
        """Count what is not taken from it."""
        self.refused[reason] += 1
        self._say(sentence)

    def fail(self, reason: str, sentence: str, count: int = 1) -> None:
        """Count what it did not give."""
        self.failed[reason] += count
        self._say(sentence)

    def gone(self, status: Status) -> None:
        """Note that it is asked no more."""
        self.status = status

    def close(self) -> None:
        """Note that all that was to be asked has been."""
        if self.status == "ok" and (self.refused or self.failed or self.left):
            self.status = "partial"

    def as_json(self) -> dict[str, Any]:
        """Return the entry of `peers`."""
        numbers = {name: getattr(self, name) for name in ("sets", "files", "bytes", "absent", "waiting", "left")}
        return {
            "name": self.peer,
            "status": self.status,
            **numbers,
            "refused": dict(self.refused),
            "failed": dict(self.failed),
        }

    def line(self) -> str:
        """For people."""
        if self.status == "waiting":
            return f"{self.peer}: failed before, and is left alone for a while"
        parts = [f"{self.files:,} files ({self.bytes:,} bytes) of {self.sets:,} whole sets"]
        parts += [f"{count:,} {reason}" for reason, count in (*self.refused.items(), *self.failed.items())]
        parts += [f"{self.absent:,} that it has not"] if self.absent else []
        parts += [f"{self.waiting:,} waiting"] if self.waiting else []
        parts += [f"{self.left:,} left for the next time"] if self.left else []
        return f"{self.peer}: {self.status}, {', '.join(parts)}"

    def _say(self, sentence: str) -> None:
        if len(self.said) < MOST_SAID and sentence not in self.said:
            self.said.append(sentence)


@dataclass(frozen=True, slots=True)
class Synced:
    """Of all peers; `ours` are sentences about what is not theirs."""

    peers: Sequence[PeerTally] = ()
    ours: Sequence[str] = ()
    seconds: float = 0.0

    @property
    def problems(self) -> list[str]:
        """What went wrong, a sentence each; of one peer the first few."""
        return [*self.ours, *(sentence for tally in self.peers for sentence in tally.said)]

    @property
    def exit(self) -> int:
        """The exit code of the command."""
        states = [tally.status for tally in self.peers]
        if any(tally.failed["unwritable"] for tally in self.peers):
            return OutputError.exit_code
        if states and all(status == "unauthorised" for status in states):
            return AuthenticationFailed.exit_code
        if states and all(status in AWAY for status in states):
            return SourceUnavailable.exit_code
        return PARTIAL if self.ours or any(status != "ok" for status in states) else 0

    def as_json(self) -> dict[str, Any]:
        """Return the object of `remote sync --json`."""
        return {
            "peers": [tally.as_json() for tally in self.peers],
            "files": sum(tally.files for tally in self.peers),
            "bytes": sum(tally.bytes for tally in self.peers),
            "problems": self.problems,
            "seconds": round(self.seconds, 3),
            "exit": self.exit,
        }
