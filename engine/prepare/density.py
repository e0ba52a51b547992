"""How dense series are, as Skyline's metrics_manager tells its siblings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.io.matrix import MetricMatrix
from ridgeline.kernels.density.layout import COUNT, FACTS, ROOM, STEP
from ridgeline.kernels.native import loader

# Resolutions of up to so many seconds are taken for a minute, unless they are one of these.
NEARLY_A_MINUTE: Final = 68
WITHIN_A_MINUTE: Final = (1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60)
FULL: Final = 94.0  # percent from which on a series counts as fully populated


@dataclass(frozen=True, slots=True, eq=False)
class Density:
    """Of n series.

    resolution   int64[n], seconds; 0 below two points
    sparsity     float64[n]: percent of the points that the window would have at this resolution, to two decimals; it may
                 exceed 100, and is 0 without a resolution
    there        bool[n]: whether it has points
    """

    resolution: NDArray[np.int64]
    sparsity: NDArray[np.float64]
    there: NDArray[np.bool_]


def look(matrix: MetricMatrix, window: int) -> NDArray[np.int64]:
    """What `density` is told by, int64[n, FACTS]; window: seconds up to each row's newest point."""
    facts = np.empty((len(matrix), FACTS), np.int64)
    loader.entry("density")(matrix.offsets, matrix.timestamps, window, facts, np.empty(ROOM))
    return facts


def density(facts: NDArray[np.int64], window: int) -> Density:
    """Of the series that were looked at; a whole fleet's at once, since it takes numpy a dozen calls."""
    step = facts[:, STEP]
    odd = (step > 0) & (step <= NEARLY_A_MINUTE) & ~np.isin(step, WITHIN_A_MINUTE)
    resolution = np.where(odd, 60, step)
    share = np.round(facts[:, COUNT] * resolution / window * 100, 2)
    return Density(resolution, share, facts[:, COUNT] > 0)
