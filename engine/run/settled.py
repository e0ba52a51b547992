"""The metrics that a run judged without reading them whole: by what it remembers of them, and their newest points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ridgeline.engine.score.sparse import Sparse
    from ridgeline.engine.walks.said import Said

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Settled:
    """Columns of n metrics, none of them anomalous. Nothing here is made metric by metric; names only of those asked for.

    outcomes     uint8[n], positions in `engine.score.verdicts.OUTCOMES`; reasons uint8[n], in `REASONS` there
    timestamps   int64[n]: of the newest point, epoch seconds; 0 where there is none
    datapoints   float64[n]: its value
    counters     bool[n]: whether the window is a counter's
    done         uint8[n]: what was done to the series before it was judged, bits of `kernels.prepare.layout`
    sparse       those that can never be judged (`engine.score.sparse`)
    naming       the names of some of them, by their places int64[k]
    framing      members about some of them (`io.memory.members`), by their places int64[k] and timestamps int64[k], so many at a time
    namespaces   how many of some of them, by their places, begin with each text before the first dot of their names
    finding      the places of some names, int64[k]; -1: it is none of these
    hashed       hashes of any names, uint64[k]
    said         what the walks say of them, where a rule goes by walks
    columns      what makes each of the columns that few runs ask for
    """

    outcomes: NDArray[np.uint8]
    reasons: NDArray[np.uint8]
    timestamps: Ints
    datapoints: NDArray[np.float64]
    counters: Bools
    done: NDArray[np.uint8]
    sparse: Sparse
    naming: Callable[[Ints], list[str]]
    framing: Callable[[Ints, Ints, int], Iterator[tuple[int, bytes]]]
    namespaces: Callable[[Ints], Mapping[str, int]]
    finding: Callable[[Sequence[str]], Ints]
    hashed: Callable[[Sequence[str]], NDArray[np.uint64]]
    columns: Mapping[str, Callable[[], NDArray[Any]]]
    said: Said | None = None

    def __len__(self) -> int:
        return len(self.outcomes)

    @cached_property
    def points(self) -> Ints:
        """int64[n]: points in the window of the series as it came."""
        return self.columns["points"]()

    @cached_property
    def windows(self) -> Ints:
        """int64[n]: seconds of the window."""
        return self.columns["windows"]()

    @cached_property
    def negatives(self) -> Bools:
        """bool[n]: whether a point of the window is below 0."""
        return self.columns["negatives"]()

    @cached_property
    def resolutions(self) -> Ints:
        """int64[n]: the usual step, seconds; 0: there is none."""
        return self.columns["resolutions"]()

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """uint64[n]: of the names, as `hashed` makes them of others."""
        return self.columns["hashes"]()

    def names(self, chosen: Bools) -> list[str]:
        """The names of the chosen ones, bool[n]."""
        return self.naming(np.flatnonzero(chosen))
