"""The step at which gaps are filled."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.density.layout import RECENT
from ridgeline.kernels.prepare.layout import MINUTE, MOST_STEPS
from ridgeline.kernels.shared.mode import usual_step


@exact_kernel
def is_grid(step: int) -> bool:
    """Return whether Skyline fills at this step; at any other it fills by the minute."""
    return step == 60 or step == 300 or step == 600 or step == 900 or step == 1800 or step == 3600


@exact_kernel
def filling_step(t: np.ndarray, window: int, skyline: int, scratch: np.ndarray) -> int:
    """Return the step at which gaps in t int64[n] are filled, in seconds; 0 where they are not.

    The most frequent of the newest RECENT points, a minute where none occurs twice; skyline not 0: a minute too where it is
    none of Skyline's grids. A window (in seconds) of more than MOST_STEPS is left as it is. scratch float64[>= ROOM].
    """
    step, times = usual_step(t[max(t.size - RECENT, 0) :], scratch)
    if not is_grid(step) if skyline != 0 else times < 2:
        step = MINUTE
    return step if window // step <= MOST_STEPS else 0
