"""Whether this machine's clock can be believed."""

from __future__ import annotations

from typing import Final

import numpy as np

from ridgeline.engine.run.stages.no_data import lack
from ridgeline.engine.run.turn import Turn
from ridgeline.engine.units import spoken

TOLERANCE: Final = 30  # seconds


def judge_clock(turn: Turn) -> None:
    """Compare the clock with the source's own and with the newest data; no data where most of it lies in the future.

    Points of the future are left out of every judgement, so what is left of such a fleet is yesterday's news; under
    Skyline's profiles they are judged, whenever they are from. Where `--as-of` is the run's clock, only the data is
    compared with it, and said: somebody asked for the past.
    """
    if turn.scan is None or turn.source is None:
        return
    asked = turn.request.as_of is not None
    skew = None if asked else turn.source.clock_skew
    if skew is not None and abs(skew) > TOLERANCE:
        way = "behind" if skew > 0 else "ahead of"
        turn.warn(f"this machine's clock is {spoken(skew)} {way} that of Redis")
    leads = np.concatenate([np.empty(0, np.int64), *turn.scan.leads])
    ahead = leads[leads > TOLERANCE]
    if not len(ahead):
        return
    which = (
        f"the newest data of {len(ahead):,} of {len(leads):,} metrics lies in the future, by {spoken(np.median(ahead))}"
    )
    become = "are left out" if turn.scorer.plan.profile.drop_future else "are judged all the same, as Skyline does"
    if asked:
        turn.warn(f"{which}, seen from `--as-of`; points after it {become}")
    elif 2 * len(ahead) > len(leads):
        lack(turn, f"{which}: this machine's clock is behind, or that of whoever writes them is ahead")
    else:
        turn.warn(f"{which}; points after now {become}")
