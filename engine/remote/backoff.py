"""What failed is left alone for a while, longer each time: a peer as a whole, or one of its sets of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from ridgeline.engine.remote.answers import FileSet
from ridgeline.io.state.batch import Batch
from ridgeline.io.state.interface import State
from ridgeline.io.state.names import REMOTE_FAILURES
from ridgeline.io.text import encodable

FIRST: Final = 60  # seconds; doubled at each failure in a row
LONGEST: Final = {"peer": 3600, "set": 6 * 3600}
FORGOTTEN: Final = 7 * 86400  # seconds without another attempt
MOST: Final = 5_000  # failures that are remembered: the latest


@dataclass(frozen=True, slots=True)
class Failure:
    """`count` failures in a row, the last one `at` epoch seconds; nobody tries again before `until`."""

    count: int
    at: int
    until: int

    def holds(self, now: float) -> bool:
        """Whether it is too early; a failure of the future is one of a clock that was wrong."""
        return self.at <= now < self.until


@dataclass(slots=True)
class Failures:
    """All failures that are remembered, by a name that says nothing of who or what."""

    known: dict[str, Failure] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, state: State, now: float) -> Failures:
        """Those that state holds. Raises StateError."""
        found = {name: _decode(value) for name, value in state.fields(REMOTE_FAILURES, 2 * MOST).items()}
        failures = cls({name: one for name, one in found.items() if one is not None})
        failures.changed.update(name for name, one in found.items() if one is None or now - one.at > FORGOTTEN)
        for name in failures.changed:
            failures.known.pop(name, None)
        return failures

    def holds(self, name: str, now: float) -> bool:
        """Whether a peer, or a set, is to be left alone."""
        return name in self.known and self.known[name].holds(now)

    def fail(self, name: str, now: float, longest: int) -> None:
        """Note that it failed once more."""
        count = self.known[name].count + 1 if name in self.known else 1
        pause = min(FIRST * 2 ** min(count - 1, 30), longest)
        self.known[name] = Failure(count, int(now), int(now) + pause)
        self.changed.add(name)

    def succeed(self, name: str) -> None:
        """Note that all is well again."""
        if self.known.pop(name, None) is not None:
            self.changed.add(name)

    def write(self, batch: Batch) -> None:
        """Put what changed into the batch; the oldest are forgotten where there are too many."""
        excess = len(self.known) - MOST
        if excess > 0:
            for name in sorted(self.known, key=lambda one: self.known[one].at)[:excess]:
                del self.known[name]
                self.changed.add(name)
        batch.drop(REMOTE_FAILURES, sorted(self.changed - self.known.keys()))
        batch.put(
            REMOTE_FAILURES, {name: _encode(self.known[name]) for name in sorted(self.changed & self.known.keys())}
        )
        self.changed.clear()


def peer_name(peer: str) -> str:
    """The name of a peer's failures."""
    return _digest("peer", peer)


def set_name(peer: str, wanted: FileSet) -> str:
    """The name of failures at one of a peer's sets."""
    return _digest("set", peer, wanted.source, wanted.metric, str(wanted.timestamp))


def _digest(*words: str) -> str:
    """Sixteen hexadecimal digits, so that no name of a stranger's takes more room than another."""
    return hashlib.sha256(encodable("\0".join(words)).encode()).hexdigest()[:16]


def _encode(failure: Failure) -> list[int]:
    return [failure.count, failure.at, failure.until]


def _decode(value: Any) -> Failure | None:
    """The failure that was kept; None for anything damaged."""
    good = isinstance(value, list) and len(value) == 3 and all(type(number) is int for number in value)
    return Failure(*value) if good else None
