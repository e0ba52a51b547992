"""Keys of many metrics in two arrays, and questions about all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Keys:
    """The bytes of n keys: key i is `data[offsets[i]:offsets[i + 1]]`. `offsets` int64[n + 1] from 0, `data` uint8."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Sequence[bytes]) -> Keys:
        """The columns of keys that are objects."""
        return cls(_ends(np.fromiter(map(len, texts), np.int64, len(texts))), np.frombuffer(b"".join(texts), np.uint8))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def texts(self) -> list[bytes]:
        """Each key as an object."""
        whole, ends = self.data.tobytes(), self.offsets.tolist()
        return [whole[start:end] for start, end in pairwise(ends)]

    def texts_of(self, rows: NDArray[np.int64]) -> list[bytes]:
        """The keys of some rows as objects, in their order."""
        if 8 * len(rows) < len(self):
            return self.take(rows).texts()
        whole = self.data.tobytes()
        starts, stops = self.offsets[:-1][rows].tolist(), self.offsets[1:][rows].tolist()
        return [whole[start:stop] for start, stop in zip(starts, stops, strict=True)]

    def names_of(self, rows: NDArray[np.int64], skip: int) -> list[str]:
        """The keys of some rows as text, but for their first `skip` bytes. Raises UnicodeDecodeError where they are no UTF-8."""
        keys = self.take(rows) if 8 * len(rows) < len(self) else self
        places = slice(None) if keys is not self else rows
        whole = keys.data.tobytes()
        starts, stops = (keys.offsets[:-1][places] + skip).tolist(), keys.offsets[1:][places].tolist()
        if not whole.isascii():
            return [whole[start:stop].decode() for start, stop in zip(starts, stops, strict=True)]
        text = whole.decode("ascii")  # to cut text costs half of what it does to cut bytes and decode them
        return [text[start:stop] for start, stop in zip(starts, stops, strict=True)]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Keys:
        """The keys of some rows, in their order."""
        return self.part(self.offsets[:-1][rows], self.offsets[1:][rows])

    def part(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Keys:
        """What lies from each of some places to another, as keys."""
        ends = _ends(stops - starts)
        places = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], np.diff(ends))
        return Keys(ends, self.data[places])

    def plus(self, others: Keys) -> Keys:
        """These keys, then the others."""
        offsets = np.concatenate([self.offsets, others.offsets[1:] + self.offsets[-1]])
        return Keys(offsets, np.concatenate([self.data[: self.offsets[-1]], others.data[: others.offsets[-1]]]))


def _ends(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends
