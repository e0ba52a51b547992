"""Who goes on from what was known of series by their new points alone: each says of which rows it cannot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.run.sinks import Sink

if TYPE_CHECKING:
    from ridgeline.engine.memory.judging import Judging
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Ints
    from ridgeline.io.matrix import MetricMatrix

News = Callable[["Ints", "Ints", "Ints", NDArray[np.float64]], None]


class Follower(Protocol):
    """Told of the new points of the rows of a memory, n of them, before these are settled."""

    @property
    def code(self) -> int:
        """Why a row is read in full of which it cannot tell (`kernels.memory.layout`)."""
        ...

    @property
    def asked(self) -> NDArray[np.uint8]:
        """Of which rows it wants the new points, uint8[n]; empty: of none."""
        ...

    def behind(self, rows: Ints) -> Ints:
        """Those of rows int64[m] that are to be read in full whatever is new in them."""
        ...

    def news(self, rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64]) -> None:
        """New points of rows int64[m], as `engine.memory.tails` gives them: also of rows that it did not ask for."""
        ...

    def undecided(self) -> Ints:
        """Once all is new that will be: the rows that are to be read in full."""
        ...

    def anchor(self, series: MetricMatrix, rows: Ints) -> None:
        """Series that were read in full, cleaned, with their rows int64[m], below 0: none."""
        ...


@runtime_checkable
class Follows(Sink, Protocol):
    """A sink that has a follower."""

    def follow(self, memory: Remembered, judging: Judging) -> Follower:
        """Its follower in this run."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Following:
    """All followers of a run."""

    memory: Remembered
    followers: Sequence[Follower]

    @property
    def asked(self) -> NDArray[np.uint8]:
        """The rows that some of them wants to know new points of, uint8[n]; empty: none does."""
        asked = [one.asked for one in self.followers if len(one.asked)]
        return np.maximum.reduce(asked) if asked else np.empty(0, np.uint8)

    @property
    def news(self) -> News | None:
        """What tells them; None where none of them asks."""
        asking = [one for one in self.followers if len(one.asked)]

        def news(rows: Ints, offsets: Ints, timestamps: Ints, values: NDArray[np.float64]) -> None:
            for one in asking:
                one.news(rows, offsets, timestamps, values)

        return news if asking else None

    def begin(self, rows: Ints) -> None:
        """Have those of rows int64[m] read in full that some follower is behind of."""
        for one in self.followers:
            self.memory.codes[one.behind(rows)] = one.code

    def end(self) -> None:
        """Have those read in full that some follower cannot tell of."""
        for one in self.followers:
            self.memory.codes[one.undecided()] = one.code

    def anchor(self, series: MetricMatrix, rows: Ints) -> None:
        """Tell all of series that were read in full."""
        for one in self.followers:
            one.anchor(series, rows)
