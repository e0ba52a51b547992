"""From tallies to pages a day, precision, recall, F1 and NAB's score, of any half of the lots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.evaluate.events import WEEK
from ridgeline.engine.evaluate.labels import Window
from ridgeline.engine.evaluate.nab import worth_of
from ridgeline.engine.tune.history import History
from ridgeline.engine.tune.lots import Lots
from ridgeline.kernels.sweep.layout import ALARMS, FOUND, NAB, PAGES, TRUE

Floats = NDArray[np.float64]
DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of each lot.

    labelled bool[lots]: those with a window; float64[lots]: their windows, those of them that NAB counts as missed where
    nothing is found, and weeks of metrics. `days` of the whole history.
    """

    labelled: NDArray[np.bool_]
    windows: Floats
    counted: Floats
    weeks: Floats
    days: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What settings come to, float64[..., folds] each; 0 where there is no denominator."""

    pages_per_day: Floats
    false_alarms_per_metric_week: Floats
    precision: Floats
    recall: Floats
    f1: Floats
    nab: Floats
    pages: Floats

    def of(self, at: int, fold: int = 0) -> dict[str, float]:
        """The measures of one setting, by the names that JSON has for them."""
        names = ("pages_per_day", "false_alarms_per_metric_week", "precision", "recall", "f1", "nab")
        return {name: float(getattr(self, name)[at, fold]) for name in names}


def measures(tallies: Floats, known: Known, folds: NDArray[np.bool_]) -> Measures:
    """Of tallies float64[settings, lots, TALLIES] what each fold, bool[folds, lots], comes to."""
    masks = folds.T.astype(np.float64)
    pages, alarms, true, found, nab = (tallies[..., at] @ masks for at in (PAGES, ALARMS, TRUE, FOUND, NAB))
    windows, counted, weeks = known.windows @ masks, known.counted @ masks, known.weeks @ masks
    precision, recall = _ratio(true, alarms), _ratio(found, windows)
    share = _ratio(weeks, np.full_like(weeks, known.weeks.sum()))  # of the history that a fold is
    return Measures(
        _ratio(pages, share * known.days),
        _ratio(alarms - true, weeks),
        precision,
        recall,
        _ratio(2.0 * precision * recall, precision + recall),
        # A silent detector is at 0 and a perfect one at 100: each window is worth two.
        _ratio(100.0 * (nab + windows - counted), 2.0 * windows),
        pages,
    )


def _ratio(above: Floats, below: Floats) -> Floats:
    """The quotient; 0 where the denominator is."""
    found = np.zeros(np.broadcast_shapes(above.shape, below.shape))
    return np.divide(above, below, out=found, where=np.broadcast_to(below, found.shape) > 0)


def known_of(history: History, windows: Mapping[str, Sequence[Window]], lots: Lots) -> Known:
    """What is known of each lot of a history."""
    per_lot = np.zeros((3, len(lots)))
    first, last = np.inf, -np.inf
    for piece in history.pieces(scores=False):
        for at, metric in enumerate(piece.metrics):
            stamps = piece.timestamps[piece.steps_of(at)]
            own = windows.get(metric, ())
            of_window = lots.of(metric, np.array([start for start, _ in own], np.int64))
            np.add.at(per_lot[0], of_window, 1.0)
            np.add.at(per_lot[1], of_window, worth_of(stamps, own).counted.astype(float))
            bounds = np.concatenate(([stamps[0]], np.clip(lots.edges, stamps[0], stamps[-1]), [stamps[-1]]))
            per_lot[2, lots.first[metric] : lots.first[metric] + len(bounds) - 1] += np.diff(bounds) / WEEK
            first, last = min(first, stamps[0]), max(last, stamps[-1])
    labelled = per_lot[0] > 0
    unheard = set(windows) - set(lots.first)
    if unheard:  # counted as missed, wherever they are
        per_lot[:2] += sum(len(windows[metric]) for metric in unheard) / len(lots)
    return Known(labelled, per_lot[0], per_lot[1], per_lot[2], max(float(last - first), 1.0) / DAY)
