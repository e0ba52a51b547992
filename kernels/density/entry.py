"""The native entry `density`: the usual step of every row of a matrix, and its points in a window."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Floats, Int, IntRows, Ints, signature_of
from ridgeline.kernels.density.layout import COUNT, RECENT, STEP
from ridgeline.kernels.shared.mode import usual_step
from ridgeline.kernels.shared.search import after


@exact_kernel
def run(offsets: Ints, timestamps: Ints, window: Int, facts: IntRows, scratch: Floats) -> Int:
    """Look at each row, and return 0.

    offsets int64[n+1], timestamps int64[N]: the matrix, every row ascending; window: seconds up to each row's newest point
    facts int64[n, FACTS]: results, columns as in `layout`; scratch float64[ROOM]
    """
    for row in range(offsets.size - 1):
        t = timestamps[offsets[row] : offsets[row + 1]]
        step, _ = usual_step(t[max(t.size - RECENT, 0) :], scratch)
        facts[row, STEP] = step
        facts[row, COUNT] = t.size - after(t, t[t.size - 1] - window) if t.size > 0 else 0
    return 0


SIGNATURE: Final = signature_of(run)
