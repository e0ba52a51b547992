"""Graded scores: how near a consensus was, and how loud all algorithms were together.

    consensus_score   the k-th largest score of the algorithms in force, k = consensus: above 1 exactly when k vote True
    mean_score        the mean of min(score, 3) over the algorithms in force

An algorithm that failed has a share of 0 in both: it cannot vote.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.rules.user_algorithms import OTHER_SCORES, SCORE
from ridgeline.kernels.grades.layout import BLOCK, GRADES
from ridgeline.kernels.native import loader

GRADED: Final = ("consensus_score", "mean_score")
Scores = NDArray[np.floating[Any]]
_NONE: Final = {dtype: np.empty((0, 0), dtype) for dtype in (np.float32, np.float64)}


def algorithms_among(columns: Iterable[str]) -> list[str]:
    """The algorithms whose scores are among these columns, in their order."""
    return [name.removesuffix(SCORE) for name in columns if name.endswith(SCORE) and name not in OTHER_SCORES]


def graded(scores: Scores, consensus: int) -> Scores:
    """Return consensus_score and mean_score of n rows, [2, n] of the scores' dtype.

    scores [algorithms in force, n], float32 or float64, NaN where one failed; consensus: at most so many algorithms.
    """
    grades = np.empty((GRADES, scores.shape[1]), scores.dtype)
    grade(grades, np.ascontiguousarray(scores), np.arange(len(scores)), consensus, slice(0, scores.shape[1]))
    return grades


def grade(grades: Scores, scores: Scores, voters: NDArray[np.int64], consensus: int, here: slice) -> None:
    """Write the grades of the rows `here`, [2, n], from those scores of theirs [algorithms, n] that are in force."""
    pairs = np.array(_network(len(voters), consensus), np.int64).reshape(-1, 2)
    arrays = scores, grades, np.empty((len(voters) + 1, BLOCK), scores.dtype)
    short = arrays if scores.dtype == np.float32 else (_NONE[np.float32],) * 3
    wide = (_NONE[np.float64],) * 3 if scores.dtype == np.float32 else arrays
    loader.entry("grades")(voters, pairs, len(voters) - consensus, here.start, here.stop, *short, *wide)


def _network(lanes: int, largest: int) -> list[tuple[int, int]]:
    """Pairs that, put in order one after another, leave the `largest`-th largest lane in its place of ascending order.

    From both ends: the largest to the top until the wanted one is there, or the smallest to the bottom.
    """
    if largest <= lanes - largest + 1:
        return [(at, at + 1) for end in range(lanes - 1, lanes - 1 - largest, -1) for at in range(end)]
    return [(at - 1, at) for end in range(lanes - largest + 1) for at in range(lanes - 1, end, -1)]
