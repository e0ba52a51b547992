"""Metrics from Redis in Skyline's own format: listed from the unique set, read ahead in chunks, decoded by a kernel."""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.client import connect, explained
from ridgeline.io.redis.decode import decode_part
from ridgeline.io.redis.prefetch import Prefetch
from ridgeline.io.redis.settings import RedisSettings

if TYPE_CHECKING:
    import redis

UNIQUE_SET: Final = "unique_metrics"
PAGE: Final = 1000  # names per SSCAN
LONGEST_POINT: Final = 64  # bytes; a value of more than `max_points` of these is refused unread,
ALWAYS_READ: Final = 16 * 2**20  # unless it is no longer than this


@dataclass(slots=True)
class RedisSource:
    """A source of metrics under `namespace` (see `ridgeline.io.source.Source`).

    `match` selects base names. `max_points`: of longer series, the newest are read. `deadline` tells the seconds left:
    when none are, `chunks` ends, and `names[delivered:]` were not reached.
    """

    settings: RedisSettings
    namespace: str = "metrics."
    match: Callable[[str], bool] | None = None
    chunk_keys: int = 100
    max_points: int = 1_000_000
    deadline: Callable[[], float] | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"load": 0.0, "decode": 0.0})
    delivered: int = 0
    bytes_read: int = 0
    clock_skew: float | None = None
    _client: redis.Redis | None = None
    _names: builtins.list[str] | None = None
    _keys: builtins.list[bytes] = field(default_factory=builtins.list)

    @property
    def client(self) -> redis.Redis:
        """The connected client; raises as `ridgeline.io.redis.client.connect`."""
        if self._client is None:
            self._client = connect(self.settings, deadline=self.deadline)
        return self._client

    def list(self) -> builtins.list[str]:
        """Base names, sorted by the bytes of their keys; read once."""
        if self._names is None:
            began = time.perf_counter()
            with explained(self.settings):
                found = set(self.client.sscan_iter(f"{self.namespace}{UNIQUE_SET}", count=PAGE))
            self._names, self._keys = base_names(sorted(found), self.namespace.encode(), self.match)
            self.seconds["load"] += time.perf_counter() - began
        return self._names

    def newest(self) -> int | None:
        """None: Redis does not know before the values are read."""
        return None

    def chunks(self) -> Iterator[MetricMatrix]:
        """One matrix per chunk of keys, in the order of `list`.

        A source that is lost raises SourceUnavailable (or AuthenticationFailed) after what was read has been yielded.
        """
        names, before = self.list(), self.seconds["load"]
        limit = max(self.max_points * LONGEST_POINT, ALWAYS_READ)
        with Prefetch(self.client, self.settings, self._keys, self.chunk_keys, limit, self.deadline) as parts:
            for part in parts:
                began = time.perf_counter()
                matrix = decode_part(names[part.first : part.first + len(part)], part, self.max_points)
                parts.give_back(part.arena)
                self.bytes_read += sum(
                    end - start for start, end in zip(part.starts, part.ends, strict=True) if start >= 0
                )
                self.seconds["decode"] += time.perf_counter() - began
                self.seconds["load"] = before + parts.seconds
                self.delivered += len(matrix)
                yield matrix


def base_names(
    keys: builtins.list[bytes], namespace: bytes, match: Callable[[str], bool] | None
) -> tuple[builtins.list[str], builtins.list[bytes]]:
    r"""(base names, keys) of the keys whose base name matches; names are distinct.

    Bytes that are not UTF-8 are shown as `\xff`. Where that or a key without the namespace makes two names equal, the
    later one gets a `~`.
    """
    names, chosen, taken = [], [], set()
    for key in keys:
        name = key.removeprefix(namespace).decode("utf-8", "backslashreplace")
        while name in taken:
            name += "~"
        if match is None or match(name):
            taken.add(name)
            names.append(name)
            chosen.append(key)
    return names, chosen
