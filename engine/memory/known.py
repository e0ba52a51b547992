"""What the memory knows of one metric, in words that people use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.score.verdicts import OUTCOMES
from ridgeline.kernels.memory import layout


@dataclass(frozen=True, slots=True)
class Known:
    """One row.

    timestamp, value  the newest pair
    count             points in the window; `mean` and `deviation` are those of all but the newest
    resolution        seconds; None below two points
    outcome, previous outcomes of the newest run that saw it and of the one before; None: there was none
    counter           whether it is judged by how much it rises
    negatives         points of the window below 0
    leaving           points that can leave the window before the series is read in full
    odd               it is read in full in every run, for what its points are like
    gone              since when it is listed no more, epoch seconds; None: it is
    """

    metric: str
    timestamp: int
    value: float
    count: int
    mean: float | None
    deviation: float | None
    resolution: int | None
    outcome: str | None
    previous: str | None
    counter: bool
    negatives: int
    leaving: int
    odd: bool
    gone: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the object of `memory show METRIC --json`."""
        return {name: getattr(self, name) for name in self.__slots__}


def read_known(metric: str, row: NDArray[np.uint8], gone: int) -> Known | None:
    """What a hot row, uint8[HOT_BYTES], says; None for a row of zeros, of which nothing is known."""
    words, numbers = row.view(np.int64), row.view(np.float64)
    if not words.any():
        return None
    marks = row[layout.MARKS_BYTE : layout.MARKS_BYTE + 8].tolist()
    history = int(words[layout.COUNT]) - 1
    mean = deviation = None
    if history > 0:
        shift = float(numbers[layout.SUM]) / history
        mean = float(numbers[layout.ORIGIN]) + shift
        deviation = math.sqrt(max(float(numbers[layout.SQUARES]) / history - shift * shift, 0.0))
    return Known(
        metric=metric,
        timestamp=int(words[layout.LAST]),
        value=float(numbers[layout.VALUE]),
        count=history + 1,
        mean=mean,
        deviation=deviation,
        resolution=int(words[layout.STEP]) if words[layout.STEP] > 0 else None,
        outcome=_outcome(marks[layout.OUTCOME]),
        previous=_outcome(marks[layout.PREVIOUS]),
        counter=marks[layout.STATE] >= layout.DERIVED,
        negatives=int(words[layout.NEGATIVES]),
        leaving=max(int(words[layout.QUEUE_LENGTH] - words[layout.QUEUE_AT]), 0),
        odd=marks[layout.STATE] == layout.ODD,
        gone=gone or None,
    )


def _outcome(code: int) -> str | None:
    return None if code == layout.NO_OUTCOME else OUTCOMES[code]
