"""The native entry `history`: of each point of a series, whether its window is a counter's, and its filling step."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Bytes, Floats, Int, Ints, signature_of
from ridgeline.kernels.history.windows import counters_into, filling_steps_into


@exact_kernel
def run(t: Ints, x: Floats, window: Int, skyline: Int, counters: Bytes, steps: Ints, scratch: Floats) -> Int:
    """Look at the window of every point, and return 0.

    t int64[n] ascending, x float64[n]: one series; window: seconds; skyline: the profile's switch
    counters uint8[n], steps int64[n]: results, each only where it has room for n
    scratch float64[>= ROOM]
    """
    if counters.size == t.size:
        counters_into(t, x, window, skyline, counters, scratch)
    if steps.size == t.size:
        filling_steps_into(t, window, skyline, steps, scratch)
    return 0


SIGNATURE: Final = signature_of(run)
