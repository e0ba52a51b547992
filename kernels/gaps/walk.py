"""Where the gaps of one series begin and end."""

from __future__ import annotations

import numpy as np

from ridgeline.kernels._algorithm import exact_kernel


@exact_kernel
def longest_allowed(step: int) -> int:
    """Return the seconds that neighbours may be apart without a gap: two and a half usual steps, of long ones two and 60."""
    return 2 * step + (step // 2 if step < 600 else 60)


@exact_kernel
def has_gap(t: np.ndarray, allowed: int) -> bool:
    """Whether any two neighbours of t int64[n], ascending, are further apart than that."""
    found = 0
    for i in range(1, t.size):
        found |= t[i] - t[i - 1] > allowed
    return found != 0


@exact_kernel
def walk(t: np.ndarray, allowed: int, skip: int, starts: np.ndarray, ends: np.ndarray) -> tuple[int, int]:
    """Return (closed, open): how many gaps of t int64[n], ascending, are closed, and the second one begins in that is not.

    A gap begins one second after the point before it. The first shorter step after it closes it, and then it ends one
    second before that step; until then it goes on. A step of just `allowed` neither begins nor closes one. 0: none open.
    Written: first and last second of each closed gap but the first `skip`, as far as `starts` and `ends` reach.
    """
    closed = 0
    opened = 0
    for i in range(1, t.size):
        apart = t[i] - t[i - 1]
        if apart > allowed:
            if opened == 0:
                opened = t[i - 1] + 1
        elif apart < allowed and opened != 0:
            at = closed - skip
            if 0 <= at < starts.size:
                starts[at] = opened
                ends[at] = t[i - 1] - 1
            closed += 1
            opened = 0
    return closed, opened
