"""Memory that replies land in: searched like bytes, decoded like an array, and never copied in between."""

from __future__ import annotations

import mmap
from typing import Final

import numpy as np
from numpy.typing import NDArray

GROWTH: Final = 32 * 2**20  # bytes; larger arenas grow by this much instead of doubling


class Arena:
    """Memory that is filled again and again: `memory` to search, `view` to receive into, `data` uint8 to decode.

    It is mapped, not allocated: the system gives a page only once something is written there, so that a length which
    a server merely claims costs nothing.
    """

    def __init__(self, size: int = 4 * 2**20) -> None:
        self._map(size)

    def _map(self, size: int) -> None:
        self.memory = mmap.mmap(-1, size)
        self.view = memoryview(self.memory)
        self.data: NDArray[np.uint8] = np.frombuffer(self.memory, np.uint8)

    def reserve(self, needed: int, used: int) -> None:
        """Make room for `needed` bytes, keeping the first `used`."""
        size = len(self.memory)
        if needed <= size:
            return
        before = self.view
        self._map(max(needed, min(2 * size, size + GROWTH)))
        self.view[:used] = before[:used]
