"""Names of a whole fleet, made only where they are asked for."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.run.settled import Ints, Settled
from ridgeline.io.memory.members import framed_pairs


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """The names of n metrics: first those of `settled`, then those that were `read`."""

    read: Sequence[str]
    settled: Sequence[Settled] = ()

    def some(self, places: Ints) -> list[str]:
        """The names at these places, int64[k] ascending."""
        parts = [part.naming(own) for part, own, _ in self._settled(places)]
        return [name for names in (*parts, self._read(places)) for name in names]

    def framed(self, places: Ints, timestamps: Ints, most: int) -> Iterator[tuple[int, bytes]]:
        """(how many, their bytes) of members about those at these places, int64[k] ascending, as `io.memory.members` has them."""
        for part, own, here in self._settled(places):
            yield from part.framing(own, timestamps[here], most)
        read = self._read(places)
        stamps = timestamps[len(places) - len(read) :].tolist()
        yield from framed_pairs(list(zip(read, stamps, strict=True)), most)

    def namespaces(self, places: Ints) -> Counter[str]:
        """How many of the names at these places, int64[k] ascending, begin alike up to their first dot."""
        found: Counter[str] = Counter()
        for part, own, _ in self._settled(places):
            found.update(part.namespaces(own))
        found.update(map(namespace_of, self._read(places)))
        return found

    def hashes(self) -> NDArray[np.uint64]:
        """A number of each name, uint64[n]: the same in every run of the same source, with the same memory or without one."""
        hashed = self.settled[0].hashed if self.settled else checksums
        return np.concatenate([*(some.hashes for some in self.settled), hashed(self.read)])

    def _settled(self, places: Ints) -> Iterator[tuple[Settled, Ints, slice]]:
        """Each of `settled`, the places that are its own, counted from its first, and where they stand among all."""
        first = 0
        for part in self.settled:
            begin, end = np.searchsorted(places, (first, first + len(part))).tolist()
            yield part, places[begin:end] - first, slice(begin, end)
            first += len(part)

    def _read(self, places: Ints) -> list[str]:
        """The names at those of the places that are of what was read."""
        first = sum(map(len, self.settled))
        return [self.read[at] for at in (places[np.searchsorted(places, first) :] - first).tolist()]


def namespace_of(metric: str) -> str:
    """What stands before the first dot of a name."""
    return metric.partition(".")[0]


def checksums(names: Sequence[str]) -> NDArray[np.uint64]:
    """The CRC-32 of each name, uint64[n]."""
    return np.fromiter((zlib.crc32(name.encode()) for name in names), np.uint64, len(names))
