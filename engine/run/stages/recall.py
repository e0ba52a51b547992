"""What earlier runs knew and this one needs before it judges."""

from __future__ import annotations

from ridgeline.engine.prepare.plan import AUTO
from ridgeline.engine.run.turn import Turn


def recall_counters(turn: Turn) -> None:
    """Read which metrics are counters by now, where it takes several runs to say so."""
    if turn.request.config.preparation.counters != AUTO:
        return
    from ridgeline.engine.run.latches import LatchSink

    latches = turn.sink(LatchSink)
    if latches is not None and turn.request.shadow is not None:
        latches.known = turn.request.shadow.latches()
    elif latches is not None and turn.source is not None and turn.compiled:
        latches.recall(turn)
