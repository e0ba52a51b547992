"""The machine's own limits, measured in the same run as what is held against them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ridgeline.bench.measure import repeat


def memory_seconds(values: npt.NDArray[np.float64], *, runs: int = 5) -> float:
    """Seconds that one pass over `values` takes from memory on one core: numpy's own maximum of float64 as integers.

    Integer maximum vectorises fully and keeps one register of state, so it runs at the speed of loads.
    """
    view = values.view(np.int64)
    return repeat(view.max, runs=runs).median
