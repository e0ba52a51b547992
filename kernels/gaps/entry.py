"""The native entry `gaps`: the airgaps of every row of a matrix in one pass."""

from __future__ import annotations

from typing import Final

from ridgeline.kernels._algorithm import exact_kernel
from ridgeline.kernels._signature import Floats, Int, IntRows, Ints, signature_of
from ridgeline.kernels.gaps.layout import CLOSED, FEWEST, FULL, OPEN, STEP
from ridgeline.kernels.gaps.walk import has_gap, longest_allowed, walk
from ridgeline.kernels.score.layout import OWN_AS_OF
from ridgeline.kernels.shared.mode import usual_step
from ridgeline.kernels.shared.search import after, from_time


@exact_kernel
def run(
    offsets: Ints,
    timestamps: Ints,
    as_of: Ints,
    period: Int,
    most: Int,
    starts: Ints,
    ends: Ints,
    kept: Ints,
    facts: IntRows,
    scratch: Floats,
) -> Int:
    """Find the gaps of each row among its points in [as_of - period, as_of]; return 0, or FULL.

    offsets int64[n+1], timestamps int64[N]: the matrix, every row ascending
    as_of int64[n]: epoch seconds, or OWN_AS_OF for a row's own newest point; period: seconds
    most: how many closed gaps of one row are kept, its newest
    starts, ends int64[capacity]: first and last second of each gap that is kept, row after row, oldest first
    kept int64[n+1]: row i's are `starts[kept[i]:kept[i+1]]`; facts int64[n, FACTS]
    scratch float64[>= gaps_room(longest)]

    FULL where the gaps exceed the capacity; n times `most` always suffices. A row of fewer than FEWEST points has none.
    """
    kept[0] = 0
    for row in range(len(as_of)):
        t = timestamps[offsets[row] : offsets[row + 1]]
        kept[row + 1] = kept[row]
        facts[row, :] = 0
        if t.size < FEWEST:
            continue
        now = as_of[row]
        if now == OWN_AS_OF:
            now = t[t.size - 1]
        t = t[from_time(t, now - period) : after(t, now)]
        step, _ = usual_step(t, scratch)
        if step == 0:
            continue
        facts[row, STEP] = step
        allowed = longest_allowed(step)
        if has_gap(t, allowed):
            at = kept[row]
            room = len(starts) - at
            closed, opened = walk(t, allowed, 0, starts[at:], ends[at:])
            if min(closed, most) > room:
                return FULL
            if closed > most:
                walk(t, allowed, closed - most, starts[at : at + most], ends[at : at + most])
            facts[row, CLOSED] = closed
            facts[row, OPEN] = opened
            kept[row + 1] = at + min(closed, most)
        if facts[row, OPEN] == 0 and now - t[t.size - 1] > allowed:
            facts[row, OPEN] = t[t.size - 1] + 1
    return 0


SIGNATURE: Final = signature_of(run)
