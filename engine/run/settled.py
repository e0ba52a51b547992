"""The metrics that a run judged without reading them whole: by what it remembers of them, and their newest points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ridgeline.engine.score.sparse import Sparse
    from ridgeline.engine.walks.said import Said

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """Columns of n metrics, none of them anomalous. Nothing here is made metric by metric; names only of those asked for.

    outcomes     uint8[n], positions in `engine.score.verdicts.OUTCOMES`; reasons uint8[n], in `REASONS` there
    timestamps   int64[n]: of the newest point, epoch seconds; 0 where there is none
    datapoints   float64[n]: its value
    counts       int64[n]: points in the window; points int64[n]: in that of the series as it came
    windows      int64[n]: seconds of the window
    negatives    bool[n]: whether one of them is below 0
    resolutions  int64[n]: the usual step, seconds; 0: there is none
    counters     bool[n]: whether the window is a counter's
    done         uint8[n]: what was done to the series before it was judged, bits of `kernels.prepare.layout`
    sparse       those that can never be judged (`engine.score.sparse`)
    hashes       uint64[n]: of the names, as `hashed` makes them of others
    naming       the names of some of them, by their places int64[k]
    framing      members about some of them (`io.memory.members`), by their places int64[k] and timestamps int64[k], so many at a time
    namespaces   how many of some of them, by their places, begin with each text before the first dot of their names
    finding      the places of some names, int64[k]; -1: it is none of these
    hashed       hashes of any names, uint64[k]
    said         what the walks say of them, where a rule goes by walks
    """

    outcomes: NDArray[np.uint8]
    reasons: NDArray[np.uint8]
    timestamps: Ints
    datapoints: NDArray[np.float64]
    counts: Ints
    points: Ints
    windows: Ints
    negatives: Bools
    resolutions: Ints
    counters: Bools
    done: NDArray[np.uint8]
    sparse: Sparse
    hashes: NDArray[np.uint64]
    naming: Callable[[Ints], list[str]]
    framing: Callable[[Ints, Ints, int], Iterator[tuple[int, bytes]]]
    namespaces: Callable[[Ints], Mapping[str, int]]
    finding: Callable[[Sequence[str]], Ints]
    hashed: Callable[[Sequence[str]], NDArray[np.uint64]]
    said: Said | None = None

    def __len__(self) -> int:
        return len(self.outcomes)

    def names(self, chosen: Bools) -> list[str]:
        """The names of the chosen ones, bool[n]."""
        return self.naming(np.flatnonzero(chosen))
