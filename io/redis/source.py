"""Metrics from Redis in Skyline's own format: listed from the unique set, read ahead in chunks, decoded by a kernel."""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.clock import clock_skew
from ridgeline.io.redis.decode import matrix_of
from ridgeline.io.redis.explain import explained
from ridgeline.io.redis.listing import list_names
from ridgeline.io.redis.patience import Patience
from ridgeline.io.redis.prefetch import Prefetch
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.waiting_line import WaitingLine
from ridgeline.io.shard import Share
from ridgeline.io.source import Order, Select
from ridgeline.io.text import encodable, escape

if TYPE_CHECKING:
    import redis

UNIQUE_SET: Final = "unique_metrics"
LISTING_SHARE: Final = 0.5  # of the time left: what was listed by then is to be read and judged too
LONGEST_POINT: Final = 64  # bytes; a value of more than `max_points` of these is refused unread,
ALWAYS_READ: Final = 16 * 2**20  # unless it is no longer than this
_ESCAPED: Final = re.compile(rb"\\x([89a-f][0-9a-f])")


@dataclass(slots=True)
class RedisSource:
    """A source of metrics under the settings' namespace (see `ridgeline.io.source.Source`).

    `select` picks by base name, of what is listed and `share` holds; with `names` those are read and nothing is listed.
    `deadline` tells the seconds left: when none are, `chunks` ends, and `names[delivered:]` were not reached. `now` is our clock, with which Redis' is compared once; None: it is not.
    `incomplete` says why names are missing; with `broken_off` it is unknown how many. `listed`: how many there are in all,
    whoever's.
    `clock_skew`: the seconds that Redis' clock is at least ahead of ours, negative behind; None where it is not known.
    """

    settings: RedisSettings
    select: Select | None = None
    deadline: Callable[[], float] | None = None
    now: Callable[[], float] | None = time.time
    names: Sequence[str] | None = None
    share: Share = field(default_factory=Share)
    seconds: dict[str, float] = field(default_factory=lambda: {"load": 0.0, "decode": 0.0})
    delivered: int = 0
    bytes_read: int = 0
    clock_skew: float | None = None
    unreadable: tuple[tuple[str, str], ...] = ()
    _client: redis.Redis | None = None
    _line: WaitingLine | None = None
    incomplete: str | None = None
    broken_off: bool = False
    listed: int = 0
    _patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self._patience = Patience(self.deadline)

    @property
    def client(self) -> redis.Redis:
        """The connected client; raises as `ridgeline.io.redis.client.connect`."""
        if self._client is None:
            self._client = connect(self.settings, deadline=self._patience.left)
        return self._client

    def list(self) -> builtins.list[str]:
        """Base names, sorted by the bytes of their keys unless arranged otherwise; read once.

        A listing that takes half of the time that is left ends there; `chunks` says so after the last metric.
        """
        return self._in_line().names

    def keys(self) -> builtins.list[bytes]:
        """Their keys, in the order of `list`."""
        return self._in_line().keys

    def choose(self, names: builtins.list[str], keys: builtins.list[bytes]) -> WaitingLine:
        """Read these, by their keys, and nothing else of what was listed, or would be; more may be added to the line."""
        self._line = WaitingLine(names, keys)
        return self._line

    def arrange(self, order: Order, *, at_once: bool) -> None:
        """Read the listed metrics in another order."""
        self._in_line().arrange(order, at_once=at_once)

    def _in_line(self) -> WaitingLine:
        if self._line is None and self.names is not None:
            keys = [key_of(name, self.settings.namespace) for name in self.names]
            self._line = WaitingLine(builtins.list(self.names), keys)
        if self._line is None:
            began = time.perf_counter()
            key = f"{self.settings.namespace}{UNIQUE_SET}"
            share = LISTING_SHARE * self._patience.left()
            with explained(self.settings), self._patience.at_most(share):
                self.clock_skew = None if self.now is None else clock_skew(self.client, self.now)
                found = list_names(self.client, key, self._patience.left)
            self.broken_off, self.listed = found.broken_off, len(found.names)
            if found.incomplete is not None:
                self.incomplete = (
                    f"not all of {escape(key)} of Redis at {self.settings} could be listed: {found.incomplete}"
                )
            namespace = self.settings.namespace.encode()
            self._line = WaitingLine(*base_names(sorted(found.names), namespace, self.select, self.share))
            self.seconds["load"] += time.perf_counter() - began
        return self._line

    def known(self, read: int) -> int:  # noqa: ARG002 - other sources know only after they have begun to read
        """How many metrics were listed."""
        return len(self.list())

    def keep_apart(self, target: Path) -> None:
        """No file is read."""

    def newest(self) -> int | None:
        """None: Redis does not know before the values are read."""
        return None

    def chunks(self) -> Iterator[MetricMatrix]:
        """Matrices of up to 1000 rows, in the order of `list`.

        A source that is lost, or was not listed as a whole, raises SourceUnavailable (or AuthenticationFailed) after
        what was read has been yielded.
        """
        line, before, decoding = self._in_line(), self.seconds["load"], 0.0
        limit = max(self.settings.max_points * LONGEST_POINT, ALWAYS_READ)
        with Prefetch(self.client, self.settings, line, limit, self.deadline) as blocks:
            for block in blocks:
                began = time.perf_counter()
                names = line.names[block.first : block.first + len(block)]
                matrix = matrix_of(names, block, self.settings.max_points)
                self.bytes_read += block.bytes_read
                decoding += block.seconds
                self.seconds["decode"] += block.seconds + time.perf_counter() - began
                self.seconds["load"] = before + blocks.seconds - decoding
                self.delivered += len(matrix)
                yield matrix
        if self.incomplete is not None and self.delivered == len(line):
            raise SourceUnavailable(self.incomplete)

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()


def key_of(name: str, namespace: str) -> bytes:
    r"""The key of a base name, as `base_names` made it: `\xff` in a name stands for a byte that is not UTF-8.

    >>> key_of("cpu", "metrics."), key_of("cpu\\xff", "metrics.")
    (b'metrics.cpu', b'metrics.cpu\xff')
    """
    key = f"{namespace}{encodable(name)}".encode()
    if b"\\x" not in key:
        return key
    odd = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), key)
    return odd if odd.decode("utf-8", "backslashreplace").encode() == key else key


def base_names(
    keys: builtins.list[bytes], namespace: bytes, select: Select | None, share: Share
) -> tuple[builtins.list[str], builtins.list[bytes]]:
    r"""(base names, keys) of the keys, which are sorted and distinct, those of our share that are selected.

    Names are distinct, and the same whatever the share. Bytes that are not UTF-8 are shown as `\xff`. Where that or a key
    without the namespace makes two names equal, the later one gets a `~`.
    """
    plain = _plain_names(keys, namespace)
    names = _distinct_names(keys, namespace) if plain is None else plain
    if plain is None:
        share.learn(names, [key.removeprefix(namespace) for key in keys])
    choose = share.narrow(select)
    if choose is None:
        return names, keys
    wanted = choose(names)
    if wanted.all():
        return names, keys
    chosen = np.flatnonzero(wanted).tolist()
    return [names[at] for at in chosen], [keys[at] for at in chosen]


def _plain_names(keys: builtins.list[bytes], namespace: bytes) -> builtins.list[str] | None:
    """The names where all keys are UTF-8 and begin with the namespace: then they differ as the keys do. Else None."""
    if not keys or not keys[0].startswith(namespace) or not keys[-1].startswith(namespace):
        return None  # between two keys that begin alike lie only such, for they are sorted
    size = len(namespace)
    try:
        return [key[size:].decode() for key in keys]
    except UnicodeDecodeError:
        return None


def _distinct_names(keys: builtins.list[bytes], namespace: bytes) -> builtins.list[str]:
    names: builtins.list[str] = []
    taken: set[str] = set()
    for key in keys:
        name = key.removeprefix(namespace).decode("utf-8", "backslashreplace")
        while name in taken:
            name += "~"
        taken.add(name)
        names.append(name)
    return names
