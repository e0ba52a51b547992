"""The row after the one that is judged, asked for meanwhile: a row costs little more than the wait for it."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels.shared.prefetch import prefetch

AHEAD: Final = (
    3072  # values of a row that are asked for: beside those of the row before, as many as nearest caches hold
)
_LINE: Final = 8  # values that come together
_NEWEST: Final = 20  # how far from a row's end ks_test first looks


@exact_kernel
def expect(x: np.ndarray, start: int, stop: int) -> None:
    """Have x[start:stop] brought into the caches."""
    for place in range(start, stop, _LINE):
        prefetch(x, place)


@exact_kernel
def expect_ends(t: np.ndarray, start: int, stop: int) -> None:
    """Have those of a row's timestamps, t[start:stop], brought into the caches at which every row is looked."""
    prefetch(t, start)
    prefetch(t, stop - 1)
    prefetch(t, stop - _NEWEST)
