"""Which rows are read in full because it is their turn: each once in so many runs, as many in every run."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

RUNS: Final = 60  # within which every series is read in full once: what was rewritten deep inside shows by then
TOGETHER: Final = 16  # rows that are read in one run: neighbours are written in one piece


def due(rows: NDArray[np.int64], run: int) -> NDArray[np.bool_]:
    """Which of rows int64[m] are read in full in the run of this number."""
    found: NDArray[np.bool_] = rows // TOGETHER % RUNS == run % RUNS
    return found
