"""All moments of a step of any metric: when runs take place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.ordered import distinct

PENDING: Final = 1 << 16

Stamps = NDArray[np.int64]


def _none() -> Stamps:
    return np.empty(0, np.int64)


@dataclass(slots=True)
class Moments:
    """The distinct ones of what is added. Metrics in step with the first cost a comparison, the others their share of a sort."""

    _known: Stamps = field(default_factory=_none)
    _pending: list[Stamps] = field(default_factory=list)
    _size: int = 0

    def add(self, stamps: Stamps) -> None:
        """Add some, int64[n]."""
        if not len(self._known) and not self._pending:
            self._known = distinct(stamps)
        elif not np.array_equal(self._known, stamps):
            self._pending.append(stamps)
            self._size += len(stamps)
            if self._size > max(len(self._known), PENDING):
                self._join()

    def all(self) -> Stamps:
        """All of them, int64[n], ascending, each once."""
        self._join()
        return self._known

    def _join(self) -> None:
        if self._pending:
            self._known = distinct(np.concatenate([self._known, *self._pending]))
            self._pending, self._size = [], 0
