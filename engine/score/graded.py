"""Graded scores: how near a consensus was, and how loud all algorithms were together.

    consensus_score   the k-th largest score of the algorithms in force, k = consensus: above 1 exactly when k vote True
    mean_score        the mean of min(score, 3) over the algorithms in force

An algorithm that failed has a share of 0 in both: it cannot vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.user_algorithms import OTHER_SCORES, SCORE

GRADED: Final = ("consensus_score", "mean_score")
LOUDEST: Final = 3.0  # what one algorithm may add to the mean at most
BLOCK: Final = 8192  # rows sorted together, so that they stay in the cache

Scores = NDArray[np.floating[Any]]


def algorithms_among(columns: Iterable[str]) -> list[str]:
    """The algorithms whose scores are among these columns, in their order."""
    return [name.removesuffix(SCORE) for name in columns if name.endswith(SCORE) and name not in OTHER_SCORES]


def graded(scores: Sequence[Scores], consensus: int) -> tuple[Scores, Scores]:
    """Return consensus_score and mean_score of n rows, each [n] of the scores' dtype.

    scores: of each algorithm in force [n], NaN where it failed; consensus: at most so many algorithms.
    """
    algorithms, rows, dtype = len(scores), len(scores[0]), scores[0].dtype
    kth, mean = np.empty(rows, dtype), np.empty(rows, dtype)
    pairs = _network(algorithms, consensus)
    room = np.empty((algorithms + 2, min(rows, BLOCK)), dtype)
    for start in range(0, rows, BLOCK):
        here = slice(start, min(start + BLOCK, rows))
        *lanes, total, free = room[:, : here.stop - start]
        total[:] = 0
        for lane, score in zip(lanes, scores, strict=True):
            np.fmax(score[here], 0, out=lane)
            total += np.minimum(lane, LOUDEST, out=free)
        np.divide(total, algorithms, out=mean[here])
        for low, high in pairs:
            np.minimum(lanes[low], lanes[high], out=free)
            np.maximum(lanes[low], lanes[high], out=lanes[high])
            lanes[low], free = free, lanes[low]
        kth[here] = lanes[algorithms - consensus]
    return kth, mean


def _network(lanes: int, largest: int) -> list[tuple[int, int]]:
    """Pairs that, put in order one after another, leave the `largest`-th largest lane in its place of ascending order.

    From both ends: the largest to the top until the wanted one is there, or the smallest to the bottom.
    """
    if largest <= lanes - largest + 1:
        return [(at, at + 1) for end in range(lanes - 1, lanes - 1 - largest, -1) for at in range(end)]
    return [(at - 1, at) for end in range(lanes - largest + 1) for at in range(lanes - 1, end, -1)]
