"""What a run found of every metric, as columns over the whole fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ridgeline.engine.run.books.named import Named
from ridgeline.engine.run.settled import Bools, Ints, Settled
from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.io.arrow.buffers import nulls, truths, valid, view
from ridgeline.io.memory.members import member
from ridgeline.kernels.score.layout import ANALYSED

COLUMNS: Final = ("metric", "outcome", "anomalous", "timestamp")
CODES: Final = {word: code for code, word in enumerate(OUTCOMES)}


@dataclass(frozen=True, eq=False)
class Judged:
    """One entry per metric: those that were settled without being read whole, then the others in the order of the source.

    outcomes     uint8[n], positions in `engine.score.verdicts.OUTCOMES`
    normal       bool[n]: analysed, and not anomalous
    timestamps   int64[n]: of the newest point, epoch seconds; 0 where there is none
    named        their names
    """

    outcomes: NDArray[np.uint8]
    normal: Bools
    timestamps: Ints
    named: Named

    @classmethod
    def of(cls, batches: Sequence[pa.RecordBatch], settled: Sequence[Settled] = ()) -> Self:
        """Gather what was settled, and `COLUMNS` of verdicts."""
        outcomes = [np.empty(0, np.uint8), *(some.outcomes for some in settled), *map(_outcomes, batches)]
        normal = [np.empty(0, np.bool_), *(some.outcomes == ANALYSED for some in settled), *map(_normal, batches)]
        stamps = [np.empty(0, np.int64), *(some.timestamps for some in settled), *map(_timestamps, batches)]
        read = [name for batch in batches for name in batch.column("metric").to_pylist()]
        return cls(np.concatenate(outcomes), np.concatenate(normal), np.concatenate(stamps), Named(read, settled))

    def __len__(self) -> int:
        return len(self.outcomes)

    @cached_property
    def metrics(self) -> list[str]:
        """All names, for whoever cannot do without."""
        return self.named.some(np.arange(len(self)))

    def with_outcome(self, outcome: str) -> list[str]:
        """The metrics that came out so."""
        return self.named.some(np.flatnonzero(self.outcomes == CODES[outcome]))

    def namespaces(self, outcome: str) -> Counter[str]:
        """How many metrics came out so, by what stands before the first dot of their names."""
        return self.named.namespaces(np.flatnonzero(self.outcomes == CODES[outcome]))

    def members(self, chosen: Bools) -> Members:
        """Members about the chosen ones, bool[n], and their newest timestamps."""
        rows = np.flatnonzero(chosen)
        return Members(self.named, rows, self.timestamps[rows])

    def where(self, chosen: Bools) -> Iterable[tuple[str, int]]:
        """(metric, newest timestamp) of the chosen ones, bool[n]."""
        rows = np.flatnonzero(chosen)
        return zip(self.named.some(rows), self.timestamps[rows].tolist(), strict=True)


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Members `[metric, timestamp]` about some of the metrics, by their places int64[k] ascending; timestamps int64[k]."""

    named: Named
    places: Ints
    timestamps: Ints

    def __iter__(self) -> Iterator[str]:
        """Each as text."""
        names = self.named.some(self.places)
        return (member(*pair) for pair in zip(names, self.timestamps.tolist(), strict=True))

    def framed(self, most: int) -> Iterator[tuple[int, bytes]]:
        """(how many, their bytes), `most` at a time at the most."""
        return self.named.framed(self.places, self.timestamps, most)


def _outcomes(batch: pa.RecordBatch) -> NDArray[np.uint8]:
    return np.array([CODES[word] for word in batch.column("outcome").to_pylist()], np.uint8)


def _normal(batch: pa.RecordBatch) -> Bools:
    column = batch.column("anomalous")
    return valid(column) & ~truths(column)


def _timestamps(batch: pa.RecordBatch) -> Ints:
    column = batch.column("timestamp")
    absent = nulls(column)
    return view(column) if absent is None else np.where(absent, 0, view(column))
