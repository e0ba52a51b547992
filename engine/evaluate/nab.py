"""NAB's score of a detector (Lavin and Ahmad 2015, "Evaluating Real-time Anomaly Detection Algorithms")."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ridgeline.engine.evaluate.detections import Detections
from ridgeline.engine.evaluate.labels import Labels, Window
from ridgeline.io.errors import InputError

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


def _tally(found: Detections, windows: tuple[Window, ...], threshold: float) -> _Tally:
    rows = len(found.timestamps)
    first = probation(rows)
    spans = [span for span in (_row_span(found, window) for window in windows) if span and span[1] >= first]
    best: dict[int, float] = {}
    false_alarms = 0.0
    for i in np.flatnonzero(found.scores >= threshold):
        if i < first:
            continue
        inside = next((k for k, (left, right) in enumerate(spans) if left <= i <= right), None)
        if inside is not None:
            left, right = spans[inside]
            value = sigmoid(-(right - i + 1) / (right - left + 1)) / sigmoid(-1.0)
            best[inside] = max(best.get(inside, -math.inf), value)
        else:
            false_alarms += _false_alarm(int(i), spans)
    return _Tally(sum(best.values()), len(spans) - len(best), false_alarms)


def _false_alarm(i: int, spans: list[tuple[int, int]]) -> float:
    """Value of a detection outside every window: the closer behind the last window, the milder."""
    ended = [(left, right) for left, right in spans if right < i]
    if not ended:
        return -1.0
    left, right = max(ended, key=lambda span: span[1])
    width = right - left + 1
    return sigmoid((i - right) / (width - 1)) if width > 1 else -1.0


def _row_span(found: Detections, window: Window) -> tuple[int, int] | None:
    """First and last row index inside the window, or None where the file has no row there."""
    start, end = window
    rows = np.flatnonzero((found.timestamps >= start) & (found.timestamps <= end))
    return (int(rows[0]), int(rows[-1])) if len(rows) else None
