"""The one rule of expiration: after an alert a metric is quiet on that strategy for so many seconds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def let_through(
    timestamps: npt.NDArray[np.int64], anomalous: npt.NDArray[np.bool_], expiration: int
) -> npt.NDArray[np.bool_]:
    """Which steps of one metric alert: bool[n], of the anomalous ones those at least `expiration` s after the last that did.

    timestamps int64[n], ascending, epoch seconds; anomalous bool[n]. An `expiration` of 0 lets every one through.
    """
    if expiration <= 0:
        return anomalous.copy()
    through = np.zeros(len(timestamps), np.bool_)
    at = np.flatnonzero(anomalous)
    stamps = timestamps[at]
    k = 0
    while k < len(at):
        through[at[k]] = True
        # Steps that are quiet are leapt over, not walked: a storm of a year costs as many turns as it has alerts.
        k = max(k + 1, int(np.searchsorted(stamps, stamps[k] + expiration, "left")))
    return through
