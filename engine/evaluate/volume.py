"""Volumes under the ROC and the precision-recall surface (Paparrizos et al. 2022, "Volume Under the Surface").

A buffer of length l blurs the edges of every labelled range. A row at distance d from the nearest labelled row of a range has the weight
sqrt(1 - d / l) up to d = l / 2, none beyond; weights of several ranges add up, to 1 at most. Of the rows at or above a threshold

    A = labelled rows, B = weights of the others, N = all of them
    precision = (A + B) / N
    recall    = min((A + B) / (P + B / 2), 1) * share of ranges reached       P = labelled rows in all
    FPR       = (N - A - B) / (rows - P - B / 2)

A range is reached by any such row in it or its buffer; ranges whose buffers share a row count as one. The area under ROC goes by
trapezoids through (0, 0) and (1, 1), that under precision-recall by steps (average precision); the volume is the mean area
over l = 0, 1, ..., longest.

This is what the authors' packages compute (`vus` 0.0.6, `tsb-ad` 1.5). It differs from their paper, which takes the weights of all
buffers for part of the positives at every threshold ((P + sum of weights) / 2: a detector that gives exactly the labels scores less than
1), puts the buffer behind a range one row nearer than that before it, and goes by trapezoids in both planes and over l. The
packages look at 250 thresholds; here every score is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.rows import Flags, Rows, runs

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Volume:
    """Under the ROC surface (None where every row is labelled, so that nothing can be a false alarm), and under precision-recall."""

    vus_roc: float | None
    vus_pr: float


def volume(scores: Numbers, positions: Numbers, truth: Flags, longest: int) -> Volume:
    """The volumes of one metric; at least one row must be labelled.

    scores float64[n] without NaN; positions float64[n], ascending: times in steps; truth bool[n]; longest: of the buffers, in steps.
    """
    ranges = runs(truth)
    near = _nearest(positions, truth, ranges, longest / 2.0)
    levels, counts = _levels(scores, np.union1d(np.flatnonzero(truth), near.rows))
    gaps = _shared(near, len(ranges[0]))
    own = levels[near.rows]
    labelled = _running(levels[truth], None, len(counts))
    reached = np.minimum.reduceat(np.where(truth, levels, len(counts)), ranges[0])
    weights = np.empty(len(near.rows))
    roc, pr = [], []
    entered = 0
    for length in range(longest + 1):
        _weigh(near, length, weights)
        entered, before = int(np.searchsorted(near.first, length / 2.0, "right")), entered
        np.minimum.at(reached, near.range[before:entered], own[before:entered])
        zones = np.minimum.reduceat(reached, np.flatnonzero(np.append(True, gaps > length / 2.0)))
        areas = _areas(
            labelled,
            _running(own[:entered], weights[:entered], len(counts)),
            counts,
            _running(zones, None, len(counts)) / len(zones),
        )
        roc.append(areas[0])
        pr.append(areas[1])
    return Volume(None if truth.all() else float(np.mean(roc)), float(np.mean(pr)))


@dataclass(frozen=True, slots=True)
class _Near:
    """Rows without a label within reach of a labelled range, the nearest first.

    rows int64[k]; first, second float64[k]: distances to the two nearest ranges; range int64[k]: the nearest one; between
    int64[k]: how many ranges lie before the row; farther float64[k]: the larger of the distances to the ranges at its sides.
    """

    rows: Rows
    first: Numbers
    second: Numbers
    range: Rows
    between: Rows
    farther: Numbers


def _nearest(positions: Numbers, truth: Flags, ranges: tuple[Rows, Rows], reach: float) -> _Near:
    first, after = ranges
    rows = np.flatnonzero(~truth)
    passed = np.searchsorted(first, rows, "right")
    nowhere = np.array([np.inf, np.inf])
    starts = np.concatenate([positions[first], nowhere])
    ends = np.concatenate([-nowhere, positions[after - 1]])
    here = positions[rows]
    left, right = here - ends[passed + 1], starts[passed] - here
    close = np.minimum(left, right) <= reach
    rows, passed, here, left, right = rows[close], passed[close], here[close], left[close], right[close]
    order = np.argsort(np.minimum(left, right), kind="stable")
    rows, passed, here, left, right = rows[order], passed[order], here[order], left[order], right[order]
    # The second nearest range lies at the other side, or behind the nearest one.
    before, behind = here - ends[passed], starts[passed + 1] - here
    second = np.where(left <= right, np.minimum(right, before), np.minimum(left, behind))
    nearest = np.where(left <= right, passed - 1, passed)
    return _Near(rows, np.minimum(left, right), second, nearest, passed, np.maximum(left, right))


def _shared(near: _Near, ranges: int) -> Numbers:
    """For each two neighbouring ranges the reach from which on their buffers share a row: float64[ranges - 1]."""
    reach = np.full(ranges + 1, np.inf)
    np.minimum.at(reach, near.between, near.farther)
    return reach[1:-1]


def _levels(scores: Numbers, marked: Rows) -> tuple[Rows, Numbers]:
    """A level per row, 0 the highest score, and how many rows are at or above each: int64[n], float64[levels].

    Neighbouring levels without a marked row are one: between them recall stands still and areas are exact.
    """
    distinct, levels = np.unique(-scores, return_inverse=True)
    bears = np.zeros(len(distinct), np.bool_)
    bears[levels[marked]] = True
    new = bears.copy()
    new[1:] |= bears[:-1]
    new[0] = False
    merged = np.cumsum(new, dtype=np.int64)[levels]
    return merged, np.cumsum(np.bincount(merged)).astype(np.float64)


def _weigh(near: _Near, length: int, weights: Numbers) -> None:
    """Weights of the rows within half a buffer of a range, in place; of the others nothing that counts."""
    np.subtract(1.0, near.first / max(length, 1), out=weights)
    np.sqrt(np.maximum(weights, 0.0, out=weights), out=weights)
    # No weight is below sqrt(1 / 2): two of them come to more than 1.
    weights[near.second <= length / 2.0] = 1.0


def _running(levels: Rows, weights: Numbers | None, count: int) -> Numbers:
    """Sum of weights (or number) of the rows at or above each level."""
    return np.cumsum(np.bincount(levels, weights, count), dtype=np.float64)


def _areas(labelled: Numbers, buffers: Numbers, counts: Numbers, share: Numbers) -> tuple[float, float]:
    """Areas under ROC and under precision-recall, from what lies at or above each level."""
    hits = labelled + buffers
    positives = labelled[-1] + buffers / 2.0
    recall = np.minimum(hits / positives, 1.0) * share
    precision = hits / counts
    negatives = counts[-1] - positives
    false: Any = np.divide(counts - hits, negatives, out=np.zeros_like(hits), where=negatives > 0)
    width, height = np.diff(false, prepend=0.0, append=1.0), np.append(recall, 1.0)
    height[1:] += recall
    return float(width @ height / 2.0), float(np.diff(recall, prepend=0.0) @ precision)
