"""State in Redis, under the keys and in the text that Skyline and its siblings use.

`last_alert.<strategy>.<metric>` holds the anomaly's time stamp as decimal text and expires. Values that only
Ridgeline reads are JSON under `ridgeline.<key>`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ridgeline.io.state.interface import StateError, alert_key, as_timestamp
from ridgeline.io.text import encodable, escape

PREFIX = "ridgeline."


class RedisState:
    """State through a connected `redis.Redis` client, which it does not close: the client is the caller's."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """One MGET for all."""
        if not pairs:
            return []
        keys = [encodable(alert_key(strategy, metric)) for strategy, metric in pairs]
        with _failures("read the last alerts from"):
            found = self._client.mget(keys)
        return [None if value is None else as_timestamp(_text(value)) for value in found]

    def record_alert(self, strategy: str, metric: str, timestamp: int, expiration: int) -> None:
        """SET with EX."""
        with _failures("record an alert in"):
            self._client.set(encodable(alert_key(strategy, metric)), str(int(timestamp)), ex=expiration)

    def get(self, key: str) -> Any | None:
        """GET; text that is no JSON counts as absent."""
        with _failures("read state from"):
            value = self._client.get(encodable(PREFIX + key))
        try:
            return None if value is None else json.loads(_text(value))
        except ValueError:
            return None

    def set(self, key: str, value: Any, ttl: int) -> None:
        """SET of JSON text with EX."""
        with _failures("write state to"):
            self._client.set(encodable(PREFIX + key), json.dumps(value, allow_nan=False), ex=ttl)

    def close(self) -> None:
        """Nothing to do: the client is the caller's."""


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Turn the client's errors into StateError."""
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise StateError(f"cannot {what} Redis: {escape(error)}") from error


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
