"""The memory of the runs before: opened before the source is listed, asked before it is read, written last of all."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, cast

from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.place import place_of
from ridgeline.engine.run.stages.shedding import order_what_is_left
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import RidgelineError

if TYPE_CHECKING:
    from ridgeline.io.redis.source import RedisSource

NATIVE: Final = "native"
KEPT: Final = 0.3  # seconds of the end, for what follows


def open_memory(turn: Turn) -> None:
    """Open the memory, where one is kept and this run can use it; without it every series is read in full."""
    place = place_of(turn.request.config)
    if place is None or not _may_remember(turn):
        return
    from ridgeline.engine.run.remembered import HOT, QUEUE, Remembered
    from ridgeline.io.memory.file import MemoryFile
    from ridgeline.io.memory.unusable import Unusable

    opening = MemoryFile.open(place.path, place.owner, (HOT, QUEUE), writing=not turn.request.dry_run)
    try:
        file = turn.cleanup.enter_context(opening)
    except Unusable as error:
        turn.warn(f"every series is read in full, without memory: {error}")
        return
    turn.memory = Remembered(file, turn.request.config.source.settings.namespace)


def _may_remember(turn: Turn) -> bool:
    """Whether the next run may go on from what this one finds, and nobody in it must see every series."""
    request, plan = turn.request, turn.scorer.plan
    return not (
        request.as_of is not None
        or request.check_airgaps_only
        or request.archive
        or plan.all_votes
        or plan.user
        or plan.profile.name != NATIVE
        or any(sink.wants_all for sink in turn.sinks)
    )


def ask_tails(turn: Turn) -> None:
    """Judge what the newest points alone can tell, and leave the rest to be read in full."""
    if turn.memory is None or turn.source is None or not turn.compiled:
        return
    from ridgeline.engine.run.asking import anchoring, ask

    if not turn.request.full:
        ask(turn, turn.memory, cast("RedisSource", turn.source))  # no other is remembered
    turn.sinks.append(anchoring(turn, turn.memory))
    order_what_is_left(turn)


def keep_memory(turn: Turn) -> None:
    """Write what the next run is to know, last of all. Where that fails, the next one reads in full what it does not know."""
    memory = turn.memory
    if memory is None or not memory.file.writing or turn.scan is None:
        return
    left = turn.budget.left() - KEPT
    if left <= 0:
        turn.warn("the memory is not written: the deadline left no time for it, so the next run reads more")
        return
    try:
        everything = turn.request.everything and turn.whole
        aside(partial(memory.write, turn.as_of, everything=everything), left, "memory")
    except Overdue:
        turn.warn("the memory is not written: its disk did not answer before the deadline")
    except RidgelineError as error:
        turn.warn(f"the memory is not written: {error}")
