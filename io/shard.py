"""Which of several hosts a metric belongs to, and which metrics are this host's.

The rule is Skyline's: adler32 (RFC 1950) of the bytes of the base name, as they are stored, modulo the number of hosts.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress
from typing import TYPE_CHECKING

from ridgeline.io.errors import InputError

if TYPE_CHECKING:  # who only reads settings does without
    import numpy as np
    from numpy.typing import NDArray

    from ridgeline.io.source import Select


def place(name: bytes, hosts: int) -> int:
    """The place of a name's owner among so many hosts (at least 1), from 0."""
    return zlib.adler32(name) % hosts


def owners(names: Sequence[bytes], hosts: int) -> NDArray[np.int64]:
    """The places of the owners of many names, int64[n]; 0.1 s for a million."""
    import numpy as np

    sums = np.fromiter(map(zlib.adler32, names), np.uint32, len(names))
    return sums.astype(np.int64) % hosts


def node() -> str:
    """The name of this machine."""
    return os.uname().nodename


@dataclass(frozen=True, slots=True)
class Shards:
    """`[shards]`: the hosts that share a fleet, in an order that is the same for all of them; none: one host has it all.

    host       which of them this machine is, by default by its own name
    take_over  lost hosts whose metrics are judged here until they are back
    """

    hosts: tuple[str, ...] = ()
    host: str = field(default_factory=node)
    take_over: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What tells this host's locks, memory and figures from the others'; empty where there is but one host."""
        return self.host if self.hosts else ""

    def owner(self, metric: str) -> str:
        """The host that a metric belongs to, whoever judges it now."""
        return self.hosts[place(stored(metric), len(self.hosts))] if self.hosts else self.host

    def share(self) -> Share:
        """The metrics of this host. Raises InputError where it is none of those listed."""
        if self.hosts and self.host not in self.hosts:
            raise InputError(
                f"this host is called {self.host}, which is none of `[shards] hosts` ({', '.join(self.hosts)}): add it "
                "there, on all of them, or say in `[shards] host` which of them it is"
            )
        return Share(self)


class Share:
    """The metrics that are judged here: all of them where there is but one host.

    A name that stands for bytes which are no text, or for one of two keys, is not told by itself: see `learn`.

    listed, others   how many names of a source were asked about, and how many of them were left to other hosts
    """

    def __init__(self, shards: Shards | None = None) -> None:
        hosts = () if shards is None else shards.hosts
        ours = set() if shards is None else {shards.host, *shards.take_over}
        self._judged_here = [host in ours for host in hosts]
        self.listed = self.others = 0
        self._stored: dict[str, bytes] = {}

    @property
    def whole(self) -> bool:
        """Whether every metric is ours."""
        return all(self._judged_here)

    @property
    def first(self) -> bool:
        """Whether what is nobody's own, such as the time of a set, falls to this host.

        It is the first host's, and everybody's whose source lists no metric of another: they have a source of their own.
        """
        return all(self._judged_here[:1]) or self.listed > self.others == 0

    def learn(self, names: Sequence[str], stored_as: Sequence[bytes]) -> None:
        """Note the bytes behind those names that do not say them."""
        known = zip(names, stored_as, strict=True)
        self._stored |= {name: raw for name, raw in known if stored(name) != raw}

    def of(self, names: Sequence[str]) -> NDArray[np.bool_]:
        """Whether each of the base names is ours, bool[n]."""
        import numpy as np

        if self.whole:
            return np.ones(len(names), np.bool_)
        raw = [name.encode("utf-8", "backslashreplace") for name in names]
        if self._stored:
            raw = [self._stored.get(name, usual) for name, usual in zip(names, raw, strict=True)]
        found: NDArray[np.bool_] = np.array(self._judged_here)[owners(raw, len(self._judged_here))]
        return found

    def among(self, names: Iterable[str]) -> set[str]:
        """Those of the base names that are ours."""
        some = list(names)
        return set(some) if self.whole else set(compress(some, self.of(some).tolist()))

    def narrow(self, select: Select | None) -> Select | None:
        """A choice that `select` makes among our metrics, and is asked about those alone."""
        return select if self.whole else partial(self._chosen, select)

    def holds(self, metric: str) -> bool:
        """Whether one metric is ours."""
        if self.whole:
            return True
        return self._judged_here[place(self._stored.get(metric, stored(metric)), len(self._judged_here))]

    def _chosen(self, select: Select | None, names: Sequence[str]) -> NDArray[np.bool_]:
        found = self.of(names)
        self.listed += len(names)
        self.others += len(names) - int(found.sum())
        if select is not None:
            found[found] = select(list(compress(names, found.tolist())))
        return found


def stored(name: str) -> bytes:
    """The bytes of a name: UTF-8, what it cannot carry written out."""
    return name.encode("utf-8", "backslashreplace")
