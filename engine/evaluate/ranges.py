"""What ranges of alarms say of labelled ranges: range-based and affiliation precision and recall."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.affiliation import Spans, affiliation
from ridgeline.engine.evaluate.choices import Weighing
from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.events import harmonic
from ridgeline.engine.evaluate.labels import Labels
from ridgeline.engine.evaluate.overlaps import Ranges, rewards
from ridgeline.engine.evaluate.rows import Rows, labelled, runs, step_of
from ridgeline.io.errors import InputError


@dataclass(frozen=True, slots=True)
class Affiliation:
    """Means over labelled ranges; `precision` over those near which anything was found, None where nothing was."""

    precision: float | None
    recall: float


@dataclass(frozen=True, slots=True)
class RangeScore:
    """Means over the `alarms` (runs of rows at or above the threshold) and the `ranges` (runs of labelled rows) of all metrics.

    `precision` (of no alarm: None) counts the alarms of metrics without a label too. Of the `ranges`, `unseen` are windows
    in which the metric has no row: nothing finds them.
    """

    precision: float | None
    recall: float
    f1: float | None
    affiliation: Affiliation
    alarms: int
    ranges: int
    unseen: int


def score_ranges(
    detections: Iterable[Detections], labels: Labels, threshold: float, weighing: Weighing | None = None
) -> RangeScore:
    """Judge runs of rows at or above the threshold against runs of labelled rows.

    In affiliation, which weighs time, a run lasts from its first row to a median step after its last, or to the next row
    where that comes sooner. Raises InputError where there is no label at all.
    """
    if not labels.count:
        raise InputError("the labels hold no window at all: there is nothing to find")
    how = weighing or Weighing()
    heard: set[str] = set()
    unseen = 0
    precise, recalled, affiliated = [], [], []
    for one in detections:
        heard.add(one.metric)
        flags, missed = labelled(one.timestamps, labels.windows.get(one.metric, ()))
        unseen += missed
        truth, alarms = runs(flags), runs(one.scores >= threshold)
        precise.append(rewards(alarms, truth, 0.0, how.cardinality, "flat"))
        recalled.append(rewards(truth, alarms, how.alpha, how.cardinality, how.bias))
        if len(truth[0]):
            affiliated.append(_affiliated(one.timestamps, alarms, truth))
    unseen += sum(len(windows) for metric, windows in labels.windows.items() if metric not in heard)
    precision = _mean(np.concatenate([*precise, []]))
    recall = _mean(np.concatenate([*recalled, np.zeros(unseen)])) or 0.0
    near = np.concatenate([*(one for one, _ in affiliated), []])
    reached = np.concatenate([*(one for _, one in affiliated), np.zeros(unseen)])
    return RangeScore(
        precision=precision,
        recall=recall,
        f1=harmonic(precision, recall),
        affiliation=Affiliation(_mean(near[~np.isnan(near)]), _mean(reached) or 0.0),
        alarms=sum(map(len, precise)),
        ranges=len(reached),
        unseen=unseen,
    )


def _affiliated(timestamps: Rows, alarms: Ranges, truth: Ranges) -> tuple[NDArray[Any], NDArray[Any]]:
    starts = (timestamps - timestamps[0]).astype(np.float64)
    ends = starts + step_of(timestamps)
    ends[:-1] = np.minimum(ends[:-1], starts[1:])

    def spans(ranges: Ranges) -> Spans:
        return starts[ranges[0]], ends[ranges[1] - 1]

    return affiliation(spans(alarms), spans(truth), (starts[0], ends[-1]))


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None
