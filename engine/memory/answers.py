"""Tells what has become known of rows, some at a time, while the server answers for the next ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ridgeline.io.redis.tails import Consume

Ints = NDArray[np.int64]
News = Callable[[Ints, Ints, Ints, NDArray[np.float64]], None]

PIECE: Final = 10_000  # rows that are told of at once


@dataclass(slots=True, eq=False)
class Answers:
    """Of rows int64[m] whose replies are taken in one after another.

    news is given their new points, as `engine.memory.tails` has it: timestamps int64[k] and bits int64[k] of the values, one
    row's after another's, handed int64[m] of each. answered is told of rows once there are enough of them.
    """

    rows: Ints
    timestamps: Ints
    bits: Ints
    handed: Ints
    news: News | None
    answered: Callable[[Ints], None] | None
    told: int = 0
    points: int = 0

    def following(self, consume: Consume) -> Consume:
        """What takes replies in by `consume`, and tells of what it has taken in."""

        def take(data: NDArray[np.uint8], at: int, have: int, done: int) -> tuple[int, int, int]:
            taken = consume(data, at, have, done)
            if taken[1] - self.told >= PIECE:
                self.tell(taken[1])
            return taken

        return take

    def tell(self, done: int) -> None:
        """Tell of the rows before place `done` that nobody was told of."""
        rows, handed = self.rows[self.told : done], self.handed[self.told : done]
        self.told = done
        if self.news is not None:
            offsets = np.zeros(len(rows) + 1, np.int64)
            np.cumsum(handed, out=offsets[1:])
            first, self.points = self.points, self.points + int(offsets[-1])
            new = slice(first, self.points)
            self.news(rows, offsets, self.timestamps[new], self.bits[new].view(np.float64))
        if self.answered is not None:
            self.answered(rows)
