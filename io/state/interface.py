"""What a run remembers for the next one: the last alerts, and small JSON values, each with a time to live."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

from ridgeline.io.errors import RidgelineError


class StateError(RidgelineError):
    """State could not be read or written. A run goes on without it: an alert may repeat, none is lost."""

    exit_code: ClassVar[int] = 70


class State(Protocol):
    """Kept in Redis (`state_redis`) or in a file (`state_sqlite`). Every method but `close` raises StateError."""

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """For each (strategy, metric): the time stamp of the anomaly last alerted, or None once that has expired."""
        ...

    def record_alert(self, strategy: str, metric: str, timestamp: int, expiration: int) -> None:
        """Remember that an anomaly was alerted, for `expiration` seconds (at least 1)."""
        ...

    def get(self, key: str) -> Any | None:
        """The JSON value stored under `key`, or None if there is none, it has expired or cannot be read as JSON."""
        ...

    def set(self, key: str, value: Any, ttl: int) -> None:
        """Store a JSON value under `key` for `ttl` seconds (at least 1)."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


def open_state(redis: Any | None, path: Path) -> State:
    """State in Redis where a connected client is given, else in the SQLite file at `path`.

    Nothing is connected, read or created before the first use, so that a broken state stops no run.
    """
    if redis is not None:
        from ridgeline.io.state.in_redis import RedisState

        return RedisState(redis)
    from ridgeline.io.state.in_sqlite import SqliteState

    return SqliteState(path)


def alert_key(strategy: str, metric: str) -> str:
    """The key Skyline uses for the last alert, so that siblings see ours and we see theirs."""
    return f"last_alert.{strategy}.{metric}"


def as_timestamp(stored: str) -> int:
    """The stored time stamp; 0 for text that is none (it still suppresses, as it does in Skyline)."""
    try:
        return int(float(stored))
    except (ValueError, OverflowError):
        return 0
