"""What all steps of a backtest come to: how often each algorithm voted, with whom, and how each metric fared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ridgeline.engine.page.blocks import Block

Counts = npt.NDArray[np.int64]


@dataclass(slots=True)
class Subject:
    """One metric: its steps, those of them that are anomalous, its first and last instant."""

    steps: int
    anomalous: int
    first: int
    last: int


@dataclass(slots=True)
class Tally:
    """Counts over blocks; `algorithms` in the order of columns.

    `together[a, b]`: steps at which a and b both voted, on the diagonal those at which a did. `alone[a]`: at which only a
    did. `hits[a]`: of those at which a voted, the anomalous ones. `by_votes[v]`: steps with v votes.
    """

    algorithms: tuple[str, ...]
    together: Counts = field(init=False)
    alone: Counts = field(init=False)
    hits: Counts = field(init=False)
    by_votes: Counts = field(init=False)
    anomalous: int = 0
    subjects: dict[str, Subject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.algorithms)
        self.together = np.zeros((count, count), np.int64)
        self.alone, self.hits = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.by_votes = np.zeros(count + 1, np.int64)

    def add(self, block: Block) -> None:
        """Count a block in; it has `timestamp`, `anomalous` and the score of each algorithm."""
        anomalous = block.truths("anomalous")
        fired = block.fired(self.algorithms)
        votes = fired.sum(axis=1)
        some = np.flatnonzero(votes)
        single = fired[some].astype(np.float64)  # BLAS multiplies these; counts stay exact below 2^53
        self.together += (single.T @ single).astype(np.int64)
        self.alone += fired[votes == 1].sum(axis=0)
        self.hits += fired[anomalous].sum(axis=0)
        self.by_votes += np.bincount(votes, minlength=len(self.by_votes))
        self.anomalous += int(anomalous.sum())
        self._metrics(block, anomalous)

    def _metrics(self, block: Block, anomalous: npt.NDArray[np.bool_]) -> None:
        stamps = block.timestamps()
        hot = np.concatenate(([0], np.cumsum(anomalous)))[block.bounds]
        for name, start, stop, found in zip(
            block.names, block.bounds[:-1].tolist(), block.bounds[1:].tolist(), np.diff(hot).tolist(), strict=True
        ):
            first, last = int(stamps[start]), int(stamps[stop - 1])
            known = self.subjects.setdefault(name, Subject(0, 0, first, last))
            known.steps += stop - start
            known.anomalous += found
            known.last = last

    def as_json(self) -> dict[str, Any]:
        """The agreement of algorithms, as the page's script reads it."""
        return {
            "algorithms": list(self.algorithms),
            "together": self.together.tolist(),
            "alone": self.alone.tolist(),
            "hits": self.hits.tolist(),
            "by_votes": self.by_votes.tolist(),
            "anomalous": self.anomalous,
        }
