"""Precision and recall over all thresholds of a stored score: `evaluate --metric events` at each, in one pass.

An alarm is a run of consecutive steps whose score is above the threshold; it is true if it touches a labelled window.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ridgeline.engine.evaluate.events import WEEK
from ridgeline.engine.evaluate.labels import Labels, Window
from ridgeline.engine.page.blocks import Block

THRESHOLDS: Final = tuple(
    2.0 ** (k / 8) for k in range(-24, 25)
)  # an eighth to eight; 1, where votes begin, among them


@dataclass(slots=True)
class Sweep:
    """One score under every threshold: `alarms`, `true_alarms` and windows `found`, int64[thresholds]."""

    labels: Labels
    alarms: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(THRESHOLDS), np.int64))
    true_alarms: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(THRESHOLDS), np.int64))
    found: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(THRESHOLDS), np.int64))
    weeks: float = 0.0

    def add(self, block: Block, scores: npt.NDArray[np.float64]) -> None:
        """Count a block of whole metrics in; scores float64[n], NaN where there is none."""
        timestamps = block.timestamps()
        starts, stops = block.bounds[:-1], block.bounds[1:]
        spans = [
            (start + first, start + end)
            for name, start, stop in zip(block.names, starts.tolist(), stops.tolist(), strict=True)
            for first, end in _spans(timestamps[start:stop], self.labels.windows.get(name, ()))
        ]
        inside = np.zeros(len(timestamps), np.bool_)
        for start, stop in spans:
            inside[start:stop] = True
        opening = np.zeros(len(timestamps), np.bool_)
        opening[starts] = True
        known = np.where(np.isnan(scores), 0.0, scores)
        loudest = np.array([known[start:stop].max(initial=0.0) for start, stop in spans])
        for k, threshold in enumerate(THRESHOLDS):
            hot = known > threshold
            begun = hot.copy()
            begun[1:] &= ~hot[:-1] | opening[1:]
            self.alarms[k] += int(np.count_nonzero(begun))
            self.found[k] += int(np.count_nonzero(loudest > threshold))
            if spans:
                alarm = np.cumsum(begun)[hot & inside]  # the number of the alarm that each labelled hot step is part of
                self.true_alarms[k] += int(np.count_nonzero(np.diff(alarm, prepend=0)))
        self.weeks += float((timestamps[stops - 1] - timestamps[starts]).sum()) / WEEK

    def as_json(self) -> list[dict[str, Any]]:
        """A point for each threshold; ratios without a denominator are None."""
        return [
            self._point(*counts)
            for counts in zip(
                THRESHOLDS, self.alarms.tolist(), self.true_alarms.tolist(), self.found.tolist(), strict=True
            )
        ]

    def _point(self, threshold: float, alarms: int, true_alarms: int, found: int) -> dict[str, Any]:
        windows = self.labels.count
        precision = true_alarms / alarms if alarms else None
        recall = found / windows
        both = (precision or 0.0) + recall
        return {
            "threshold": threshold,
            "alarms": alarms,
            "true_alarms": true_alarms,
            "found": found,
            "precision": precision,
            "recall": recall,
            "f1": None if precision is None else 2 * precision * recall / both if both else 0.0,
            "false_alarms_per_metric_week": (alarms - true_alarms) / self.weeks if self.weeks else None,
        }


def _spans(timestamps: npt.NDArray[np.int64], windows: tuple[Window, ...]) -> list[tuple[int, int]]:
    """Rows [start, stop) of each labelled window; those of a window without a row are empty."""
    return [
        (int(np.searchsorted(timestamps, start, "left")), int(np.searchsorted(timestamps, end, "right")))
        for start, end in windows
    ]
