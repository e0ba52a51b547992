"""The k-th largest score of every step, for every k, and what another cutoff of one algorithm makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.judgement import CONSENSUS
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.tune.history import Piece

Scores = NDArray[np.float32]
BLOCK: Final = 8192  # steps put in order together, so that they stay in the cache


class Ranks:
    """A piece's scores in order of size; `policies`: of each metric, the algorithms in force among `algorithms`."""

    def __init__(self, piece: Piece, algorithms: Sequence[str], policies: Sequence[Policy]) -> None:
        self._scores = np.fmax(piece.scores, np.float32(0))
        self._algorithms = tuple(algorithms)
        self._voters = np.array([[name in policy.algorithms for policy in policies] for name in algorithms])
        self._slices = [piece.steps_of(at) for at in range(len(piece.metrics))]
        for place, policy in enumerate(policies):
            if policy.rule == CONSENSUS and policy.rule_threshold != 1.0:
                self._scores[:, self._slices[place]] *= policy.rule_threshold  # which they are stored divided by
        for row, voters in zip(self._scores, self._voters, strict=True):
            for at in np.flatnonzero(~voters):
                row[self._slices[at]] = 0

    def plain(self) -> Scores:
        """float32[A, N]: row k - 1 holds each step's k-th largest score, of fewer algorithms in force their least."""
        return self._clipped(_sorted(self._scores), self._voters.sum(axis=0))

    def changed(self, algorithm: str, cutoffs: Sequence[float]) -> Iterator[Scores]:
        """The same for each of these cutoffs of one algorithm; infinite: the algorithm does not vote at all."""
        place = self._algorithms.index(algorithm)
        others = _sorted(np.delete(self._scores, place, axis=0))
        for cutoff in cutoffs:
            off = math.isinf(cutoff)
            scaled = np.zeros_like(self._scores[place]) if off else self._scores[place] / np.float32(cutoff)
            voters = self._voters.sum(axis=0) - (self._voters[place] if off else 0)
            yield self._clipped(_inserted(others, scaled), np.maximum(voters, 1))

    def _clipped(self, ranks: Scores, voters: NDArray[np.int64]) -> Scores:
        """Where fewer algorithms vote than a consensus asks for, all of them must."""
        for at in np.flatnonzero(voters < len(ranks)):
            here = self._slices[at]
            ranks[voters[at] :, here] = ranks[voters[at] - 1, here]
        return ranks


def _sorted(scores: Scores) -> Scores:
    """Each column of scores, float32[A, N], in descending order."""
    ranks = np.empty_like(scores)
    for start in range(0, scores.shape[1], BLOCK):
        here = slice(start, start + BLOCK)
        for at, row in enumerate(scores[:, here]):
            _sift(ranks[: at + 1, here], row)
    return ranks


def _inserted(ranks: Scores, row: Scores) -> Scores:
    """The ranks, float32[A, N], with one more score of every step: float32[A + 1, N]."""
    more = np.empty((len(ranks) + 1, len(row)), np.float32)
    more[:-1] = ranks
    for start in range(0, len(row), BLOCK):
        here = slice(start, start + BLOCK)
        _sift(more[:, here], row[here])
    return more


def _sift(lanes: Scores, row: Scores) -> None:
    """Insert a row into lanes in descending order, of which the last is free."""
    carried = row.copy()
    for lane in lanes[:-1]:
        smaller = np.minimum(lane, carried)
        np.maximum(lane, carried, out=lane)
        carried = smaller
    lanes[-1] = carried
