"""What a run remembers for the next one: alerts sent, JSON values with a time to live, sets, and hashes without one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Protocol

from ridgeline.io.errors import RidgelineError
from ridgeline.io.state.batch import Alerted, Batch

MOST: Final = 1_000_000  # members or fields that one answer holds: more than any of ours, but an end


class StateError(RidgelineError):
    """State could not be read or written. A run goes on without it: an alert may repeat, none is lost."""

    exit_code: ClassVar[int] = 70


class State(Protocol):
    """Kept in Redis, in a file or in memory. Every method but `close` and `abandon` raises StateError.

    Keys are without `ridgeline.`. Everything is in bulk: one call is one round trip, or one for every thousand.
    Values that cannot be read as JSON count as absent.
    """

    @abstractmethod
    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """For each (strategy, metric): the time stamp of the anomaly last alerted, or None once that has expired."""

    @abstractmethod
    def alert_ttls(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For each (strategy, metric): the seconds until its last alert expires; 0 where none is known."""

    def operators(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """For each (strategy, metric): until when an operator of Skyline paused or muted it, epoch seconds; 0 if not.

        Such operators work in Redis only.
        """
        return [0.0] * len(pairs)

    @abstractmethod
    def get_many(self, keys: Sequence[str]) -> list[Any | None]:
        """For each key its JSON value, or None if there is none or it has expired."""

    @abstractmethod
    def members(self, key: str, most: int = MOST) -> set[str]:
        """The members of a set; at most about `most` of them."""

    @abstractmethod
    def fields(self, key: str, most: int = MOST) -> dict[str, Any]:
        """The fields of a hash with their values, None for what is no JSON; at most about `most` of them."""

    @abstractmethod
    def pick(self, key: str, names: Sequence[str]) -> list[Any | None]:
        """The JSON values of some fields of a hash, in the order of `names`."""

    @abstractmethod
    def size(self, key: str) -> int:
        """The number of fields of a hash."""

    @abstractmethod
    def apply(self, batch: Batch) -> None:
        """Make all changes of the batch: all or none, as far as the store can."""

    @abstractmethod
    def abandon(self) -> None:
        """Break off what another thread is waiting for in this state; it fails with StateError there."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections and files."""

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """Collect changes in a `with` block, to be made together at its end; none, where the block fails."""
        changes = Batch()
        yield changes
        if changes.changes:
            self.apply(changes)

    def record_alerts(self, alerts: Iterable[Alerted]) -> None:
        """Remember that these alerts were sent."""
        with self.batch() as batch:
            batch.alerted(alerts)

    def get(self, key: str) -> Any | None:
        """The JSON value stored under `key`, or None if there is none or it has expired."""
        return self.get_many([key])[0]

    def set(self, key: str, value: Any, ttl: float) -> None:
        """Store a JSON value under `key` for `ttl` seconds."""
        with self.batch() as batch:
            batch.set(key, value, ttl)


def as_timestamp(stored: str) -> int:
    """The stored time stamp; 0 for text that is none (it still suppresses, as it does in Skyline)."""
    try:
        return int(float(stored))
    except (ValueError, OverflowError):
        return 0
