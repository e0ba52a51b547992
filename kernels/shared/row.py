"""What every algorithm is given: one considered series, and what was computed about it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """One considered series of n >= 1 points. numba takes it apart: passing it costs what its fields would."""

    t: np.ndarray  # int64[n]: ascending, epoch seconds
    x: np.ndarray  # float64[n]: finite
    w: np.ndarray  # float64[n]: exponential weights of this length, newest 1 (`shared.weights`)
    stats: np.ndarray  # float64[STATS]: the summary pass (`shared.stats`)
    switches: np.ndarray  # int64[SWITCHES]: the profile (`shared.switches`)
    as_of: int  # epoch seconds of the decision
    full_duration: int  # seconds: the window
    scratch: np.ndarray  # float64[>= SCRATCH_PER_POINT n + SCRATCH_FIXED] (`score.layout`): free for use
