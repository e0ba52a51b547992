"""A series as one line of block characters."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ridgeline.io.ordered import median

BARS: Final = "▁▂▃▄▅▆▇█"
LARGEST: Final = 2.0**1021


def sparkline(values: npt.NDArray[np.float64], width: int = 40) -> str:
    """At most `width` bars for float64[n] `values`, each the value farthest from the median in its share of the series."""
    if not len(values):
        return ""
    if np.abs(values).max() > LARGEST:
        values = values / 4  # exactly, so that no distance overflows
    shares = np.array_split(values, min(width, len(values)))
    middle = median(values)
    points = np.array([share[np.argmax(np.abs(share - middle))] for share in shares])
    low, high = points.min(), points.max()
    if low == high:
        return BARS[0] * len(points)
    return "".join(BARS[int(level)] for level in np.rint((points - low) / (high - low) * (len(BARS) - 1)))
