"""State in Redis, under the keys and in the text that Skyline and its siblings use.

`last_alert.<strategy>.<metric>` holds the anomaly's time stamp as decimal text and expires. What only Ridgeline reads
is JSON under `ridgeline.<key>`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from ridgeline.io.redis.changes import queue
from ridgeline.io.redis.pages import PAGE, cut
from ridgeline.io.redis.until import until
from ridgeline.io.state.batch import Batch, alert_key, from_json, own_key
from ridgeline.io.state.interface import MOST, State, StateError, as_timestamp
from ridgeline.io.text import encodable, escape

PAUSED: Final = "alert.paused"  # .STRATEGY.METRIC: until when, written by operators
MUTED: Final = "metrics_manager.mute_alerts_on"  # hash: metric -> until when, written by Skyline's web UI
_ENDLESS: Final = -1  # what PTTL says of a key that never expires


class RedisState(State):
    """State through a connected `redis.Redis` client of its own, whose connections end with it.

    The client should not retry by itself: an operation that was abandoned must end.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def last_alerts(self, pairs: Sequence[tuple[str, str]]) -> list[int | None]:
        """MGET."""
        keys = [encodable(alert_key(strategy, metric)) for strategy, metric in pairs]
        with _failures("read the last alerts from"):
            return [None if text is None else as_timestamp(text) for text in self._texts(self._client.mget, keys)]

    def alert_ttls(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """PTTL, pipelined; a key that somebody else stored without an end is there for ever."""
        found: list[float] = []
        with _failures("read the last alerts from"):
            for some in cut(pairs):
                pipeline = self._client.pipeline(transaction=False)
                for strategy, metric in some:
                    pipeline.pttl(encodable(alert_key(strategy, metric)))
                found += [math.inf if left == _ENDLESS else max(int(left), 0) / 1000 for left in pipeline.execute()]
        return found

    def operators(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """MGET of pauses, HMGET of mutes; a user without rights to them is not told of any."""
        from redis.exceptions import NoPermissionError

        pauses = [encodable(f"{PAUSED}.{strategy}.{metric}") for strategy, metric in pairs]
        metrics = [encodable(metric) for _, metric in pairs]
        with _failures("read pauses and mutes from"):
            try:
                paused = list(self._texts(self._client.mget, pauses))
                muted = list(self._texts(lambda some: self._client.hmget(MUTED, some), metrics))
            except NoPermissionError:
                return [0.0] * len(pairs)
        return [max(until(pause), until(mute)) for pause, mute in zip(paused, muted, strict=True)]

    def get_many(self, keys: Sequence[str]) -> list[Any | None]:
        """MGET."""
        with _failures("read state from"):
            return [from_json(text) for text in self._texts(self._client.mget, [own_key(key) for key in keys])]

    def members(self, key: str, most: int = MOST) -> set[str]:
        """SSCAN, page by page."""
        found: set[str] = set()
        with _failures("read state from"):
            for page in _pages(self._client.sscan, own_key(key)):
                found.update(_text(member) for member in page)
                if len(found) >= most:
                    break
        return found

    def fields(self, key: str, most: int = MOST) -> dict[str, Any]:
        """HSCAN, page by page."""
        found: dict[str, Any] = {}
        with _failures("read state from"):
            for page in _pages(self._client.hscan, own_key(key)):
                found |= {_text(name): from_json(_text(value)) for name, value in page.items()}
                if len(found) >= most:
                    break
        return found

    def pick(self, key: str, names: Sequence[str]) -> list[Any | None]:
        """HMGET."""
        with _failures("read state from"):
            texts = self._texts(lambda some: self._client.hmget(own_key(key), some), [encodable(n) for n in names])
            return [from_json(text) for text in texts]

    def size(self, key: str) -> int:
        """HLEN."""
        with _failures("read state from"):
            return int(self._client.hlen(own_key(key)))

    def apply(self, batch: Batch) -> None:
        """One pipeline in MULTI and EXEC."""
        with _failures("write state to"):
            pipeline = self._client.pipeline(transaction=True)
            for change in batch.changes:
                queue(pipeline, change)
            pipeline.execute()

    def abandon(self) -> None:
        """Break the connections: whoever reads from one finds it closed."""
        self._client.connection_pool.disconnect(inuse_connections=True)

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    @staticmethod
    def _texts(ask: Callable[[list[str]], list[Any]], names: list[str]) -> Iterator[str | None]:
        """The answers to all names, asked a page at a time."""
        for some in cut(names):
            answers = ask(list(some))
            for _, answer in zip(some, answers, strict=True):
                yield None if answer is None else _text(answer)


def _pages(scan: Callable[..., tuple[int, Any]], key: str) -> Iterator[Any]:
    """The pages of an SSCAN or HSCAN."""
    cursor = 0
    while True:
        cursor, page = scan(key, cursor=cursor, count=PAGE)
        yield page
        if not cursor:
            return


@contextmanager
def _failures(what: str) -> Iterator[None]:
    """Turn the client's errors, and those of making sense of a nonsensical answer, into StateError."""
    from redis.exceptions import RedisError

    try:
        yield
    except (RedisError, OSError) as error:
        raise StateError(f"cannot {what} Redis: {escape(error)}") from error
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise StateError(f"cannot {what} Redis: its answer makes no sense ({escape(error)})") from error


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
