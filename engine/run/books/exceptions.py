"""Metrics that were not judged, and why: the sets `analyzer.boring`, `.too_short` and `.stale`, and the ones before them."""

from __future__ import annotations

import time
from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.past import TIMER, Past
from ridgeline.engine.run.turn import Turn

OUTCOMES: Final = ("boring", "too_short", "stale")
KEYS: Final = [f"analyzer.{outcome}" for outcome in OUTCOMES]
EVERY_RUN: Final = ("stale",)  # its predecessor is the run before; the others' are of the period before
PERIOD: Final = 300  # seconds
MARK: Final = "_updated_at_"


def write_exceptions(turn: Turn, judged: Judged, past: Past) -> None:
    """Let each set hold the metrics that have this outcome now, and when that was.

    A run that did not see every metric leaves those it did not see where they were; where that is not known, it changes
    nothing.
    """
    if not turn.whole and not past.known:
        return
    mark = MARK + time.strftime("%Y%m%d%H%M%S", time.gmtime(turn.as_of))
    for outcome, key in zip(OUTCOMES, KEYS, strict=True):
        before = past.members.get(key, set())
        kept = before.difference(judged.metrics) if before else before
        members = [mark, *(name for name in kept if not name.startswith(MARK)), *judged.with_outcome(outcome)]
        aside = past.rotates or outcome in EVERY_RUN
        if aside:
            turn.entries.replace_set(key, members, previous=f"aet.{key}")
        else:
            turn.entries.replace_set(key, members)
    if past.rotates:
        turn.entries.set(TIMER, str(turn.as_of), PERIOD)
