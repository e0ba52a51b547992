"""What a policy replay is given of each metric, and what of it matters to delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

OTHER, NORMAL, ANOMALOUS = range(3)  # not analysed, analysed and not anomalous, anomalous
STALE_AFTER: Final = 500  # seconds; that of most profiles


@dataclass(frozen=True, slots=True, eq=False)
class MetricSteps:
    """The steps of one metric, each as a run at that moment judged it.

    timestamps   int64[n], epoch seconds, ascending, each once
    values       float64[n]
    anomalous    bool[n]
    analysed     bool[n]; the others are too short, boring or the like
    votes        int8[n]
    expected     float64[n, 2] in the metric's unit, NaN where not known; None: of no step. Second order asks for it
    stale_after  seconds after which its newest point is too old to be judged
    """

    metric: str
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    anomalous: NDArray[np.bool_]
    analysed: NDArray[np.bool_]
    votes: NDArray[np.int8]
    expected: NDArray[np.float64] | None = None
    stale_after: int = STALE_AFTER

    def kinds(self, here: NDArray[np.int64]) -> NDArray[np.uint8]:
        """What the steps at these places are to delivery, uint8[here]."""
        return np.where(self.anomalous[here], ANOMALOUS, self.analysed[here].astype(np.uint8)).astype(np.uint8)

    def telling(self, keep: int) -> NDArray[np.int64]:
        """The places of the steps that delivery depends on: all others change nothing.

        Anomalous steps, the step that ends each run of them, and the first `keep` normal ones after it.
        """
        hits = np.flatnonzero(self.anomalous)
        if not len(hits):
            return hits
        normal = self.analysed & ~self.anomalous
        normals = np.cumsum(normal)
        last = np.searchsorted(hits, np.arange(len(self.anomalous)), "right") - 1  # the anomalous step before each
        recent = (last >= 0) & (normals - normals[hits[last]] <= keep)
        told: NDArray[np.bool_] = self.anomalous | (normal & recent)
        told[hits[hits + 1 < len(told)] + 1] = True
        return np.flatnonzero(told)
