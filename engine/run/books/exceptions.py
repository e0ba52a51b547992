"""Metrics that were not judged, and why: the sets `analyzer.boring`, `.too_short` and `.stale`, and the ones before them."""

from __future__ import annotations

import time
from typing import Final

from ridgeline.engine.run.books.judged import Judged
from ridgeline.engine.run.books.members import put_set
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
    nothing. When that was, the first of several hosts says.
    """
    if not turn.whole and not past.known:
        return
    marks = [MARK + time.strftime("%Y%m%d%H%M%S", time.gmtime(turn.as_of))] if turn.share.first else []
    for outcome, key in zip(OUTCOMES, KEYS, strict=True):
        before = turn.share.among(past.members.get(key, ()))
        kept = before.difference(judged.metrics) if before else before
        members = [*marks, *(name for name in kept if not name.startswith(MARK)), *judged.with_outcome(outcome)]
        aside = past.rotates or outcome in EVERY_RUN
        put_set(turn, key, members, previous=f"aet.{key}" if aside else None)
    if past.rotates and turn.share.first:
        turn.entries.set(TIMER, str(turn.as_of), PERIOD)
