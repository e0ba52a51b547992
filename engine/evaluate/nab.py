"""NAB's score of a detector (Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection Algorithms")."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels, Window
from ridgeline.io.errors import InputError
from ridgeline.kernels.sweep.layout import OUTSIDE, PROBATION

PROBATION_SHARE: Final = 0.15
PROBATION_CAP: Final = 750


@dataclass(frozen=True, slots=True)
class Weights:
    """What a true positive, a false positive and a missed window are worth."""

    true_positive: float
    false_positive: float
    false_negative: float


PROFILES: Final = {
    "standard": Weights(1.0, 0.11, 1.0),
    "reward_low_FP_rate": Weights(1.0, 0.22, 1.0),
    "reward_low_FN_rate": Weights(1.0, 0.11, 2.0),
}


@dataclass(frozen=True, slots=True)
class Scored:
    """`raw` is the sum over the corpus; `score` puts a silent detector at 0 and a perfect one at 100."""

    score: float
    raw: float


@dataclass(frozen=True, slots=True)
class _Tally:
    """One metric's part: sigmoid values of the best detection per window hit, windows missed, false positives."""

    hits: float
    missed: int
    false_alarms: float


def sigmoid(y: float) -> float:
    """Scaled sigmoid `2 / (1 + exp(5 y)) - 1`, and -1 beyond y = 3: value of a detection at relative position `y`."""
    return -1.0 if y > 3.0 else 2.0 / (1.0 + math.exp(5.0 * y)) - 1.0


def score_corpus(detections: Iterable[Detections], labels: Labels, threshold: float) -> dict[str, Scored]:
    """Score a corpus under the three profiles.

    Windows of a metric without any row count as missed. Raises InputError where there is nothing to score.
    """
    if not labels.count:
        raise InputError("the labels hold no window at all: NAB's score needs at least one")
    tallies, heard = [], set()
    for found in detections:
        heard.add(found.metric)
        tallies.append(_tally(found, labels.windows.get(found.metric, ()), threshold))
    if not tallies:
        raise InputError("the scores hold no row: nothing can be scored")
    unheard = sum(len(windows) for metric, windows in labels.windows.items() if metric not in heard)
    tallies.append(_Tally(0.0, unheard, 0.0))
    return {name: _score(tallies, weights, labels.count) for name, weights in PROFILES.items()}


def _score(tallies: list[_Tally], weights: Weights, windows: int) -> Scored:
    raw = sum(
        weights.true_positive * tally.hits
        + weights.false_positive * tally.false_alarms
        - weights.false_negative * tally.missed
        for tally in tallies
    )
    silent, perfect = -weights.false_negative * windows, weights.true_positive * windows
    return Scored(100.0 * (raw - silent) / (perfect - silent), raw)


def probation(rows: int) -> int:
    """How many of a file's first rows nobody is judged on."""
    return min(math.floor(PROBATION_SHARE * rows), PROBATION_CAP)


@dataclass(frozen=True, slots=True)
class Worth:
    """What a detection at each of n rows of a metric is worth, with a true and a false positive at 1 each.

    home     int64[n]: the place of the window that the row is found in; or OUTSIDE, or PROBATION where nothing counts
    value    float64[n]: the sigmoid, at most 1 in a window (of several detections there the best counts), negative outside
    counted  bool[windows]: those with a row after probation, which are missed where nothing is found in them
    """

    home: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    counted: npt.NDArray[np.bool_]


def worth_of(timestamps: npt.NDArray[np.int64], windows: Sequence[Window]) -> Worth:
    """What detections are worth; timestamps int64[n], ascending, epoch seconds."""
    rows = len(timestamps)
    ignored = probation(rows)
    spans = [_row_span(timestamps, window) for window in windows]
    known = [(place, *span) for place, span in enumerate(spans) if span is not None and span[1] >= ignored]
    home, value, counted = np.full(rows, OUTSIDE), np.full(rows, -1.0), np.zeros(len(spans), np.bool_)
    for _, left, right in sorted(
        known, key=lambda span: (span[2], -span[0])
    ):  # the closer behind the last one, the milder
        width = right - left + 1
        value[right + 1 :] = _sigmoid(np.arange(1, rows - right) / (width - 1)) if width > 1 else -1.0
    for place, left, right in reversed(known):  # a row is found in the first of several windows
        width = right - left + 1
        home[left : right + 1], counted[place] = place, True
        value[left : right + 1] = _sigmoid(-np.arange(width, 0, -1) / width) / sigmoid(-1.0)
    home[:ignored] = PROBATION
    return Worth(home, value, counted)


def _sigmoid(y: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`sigmoid` of many."""
    return np.where(y > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(y, 3.0))) - 1.0)


def _tally(found: Detections, windows: tuple[Window, ...], threshold: float) -> _Tally:
    worth = worth_of(found.timestamps, windows)
    detected = found.scores >= threshold
    best = np.full(len(windows), -math.inf)
    inside = detected & (worth.home >= 0)
    np.maximum.at(best, worth.home[inside], worth.value[inside])
    hit = best > -math.inf
    false_alarms = worth.value[detected & (worth.home == OUTSIDE)].sum()
    return _Tally(float(best[hit].sum()), int((worth.counted & ~hit).sum()), float(false_alarms))


def _row_span(timestamps: npt.NDArray[np.int64], window: Window) -> tuple[int, int] | None:
    """First and last row index inside the window, or None where there is no row."""
    first, end = np.searchsorted(timestamps, window[0]), np.searchsorted(timestamps, window[1], side="right")
    return (int(first), int(end) - 1) if first < end else None
