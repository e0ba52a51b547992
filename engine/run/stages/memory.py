"""The memory of the runs before: opened before the source is listed, asked before it is read, written last of all."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from ridgeline.engine.rules.judgement import NEEDS_WALKS
from ridgeline.engine.rules.overrides import rules_of
from ridgeline.engine.run.aside import Overdue, aside
from ridgeline.engine.run.place import place_of
from ridgeline.engine.run.stages.shedding import order_what_is_left
from ridgeline.engine.run.turn import Turn
from ridgeline.io.errors import RidgelineError

if TYPE_CHECKING:
    from ridgeline.io.redis.source import RedisSource

NATIVE: Final = "native"
FORGETFUL: Final = "nothing is known of metrics that a rule judges by walks: they are told as learning, not judged"
KEPT: Final = 0.3  # seconds of the end, for what follows


def open_memory(turn: Turn) -> None:
    """Open the memory, where one is kept and this run can use it; without it every series is read in full."""
    place, walks = place_of(turn.request.config), by_walks(turn)
    if place is None and walks:
        turn.warn(f"{FORGETFUL}: this configuration keeps no memory (docs/memory.md)")
    asks = place is not None and _may_remember(turn)
    if place is None or not (asks or walks):
        return
    from ridgeline.engine.memory.sections import sections
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.io.memory.file import MemoryFile
    from ridgeline.io.memory.unusable import Unusable

    writing = not turn.request.dry_run and turn.request.as_of is None
    gaps = turn.request.config.airgaps.max_period if asks and turn.request.airgaps else None
    opening = MemoryFile.open(place.path, place.owner, sections(walks=walks, gaps=gaps), writing=writing)
    try:
        file = turn.cleanup.enter_context(opening)
    except Unusable as error:
        turn.warn(f"{FORGETFUL if walks else 'every series is read in full, without memory'}: {error}")
        return
    turn.memory = Remembered(
        file, turn.request.config.source.settings.namespace, asks=asks, walks=walks, gaps=gaps is not None
    )


def by_walks(turn: Turn) -> bool:
    """Whether some metric may be judged by walks."""
    config = turn.request.config
    return not NEEDS_WALKS.isdisjoint(rules_of(config.analysis.rule, config.overrides))


def rule_by_walks(turn: Turn) -> None:
    """Judge by walks what a rule says is: by what is remembered of it, or as what nothing is known of."""
    if not by_walks(turn) or turn.request.check_airgaps_only:
        return
    from ridgeline.engine.run.walked import WalksSink
    from ridgeline.engine.run.walking import Ruling, unlearned

    memory = turn.memory
    known = None if memory is None or memory.kept is None else Ruling(memory, memory.kept, turn.as_of)
    turn.scorer = replace(turn.scorer, ruling=known or unlearned)
    turn.sinks.append(WalksSink(turn.report))


def _may_remember(turn: Turn) -> bool:
    """Whether the next run may go on from what this one finds, and nobody in it must see every series."""
    request, plan = turn.request, turn.scorer.plan
    return not (
        request.as_of is not None
        or request.check_airgaps_only
        or plan.all_votes
        or plan.user
        or plan.profile.name != NATIVE
        or any(sink.wants_all for sink in turn.sinks)
    )


def ask_tails(turn: Turn) -> None:
    """Begin to judge what the newest points alone can tell; the rest is read in full."""
    if turn.memory is None or turn.source is None or not turn.compiled:
        return
    from ridgeline.engine.run.asking import Question, anchoring, following

    if turn.memory.asks:
        followers = following(turn, turn.memory)
        if not turn.request.full:
            source = cast("RedisSource", turn.source)  # no other is remembered
            turn.question = Question.begin(turn, turn.memory, source, followers)
            return
        turn.sinks.append(anchoring(turn, turn.memory, followers))
    order_what_is_left(turn)


def keep_memory(turn: Turn) -> None:
    """Write what the next run is to know, last of all. Where that fails, the next one reads in full what it does not know."""
    memory = turn.memory
    if memory is not None and memory.kept is not None:
        turn.report.walks = memory.kept.counts
    if memory is None or not memory.file.writing or turn.scan is None:
        return
    left = turn.budget.left() - KEPT
    if left <= 0:
        turn.warn("the memory is not written: the deadline left no time for it, so the next run reads more")
        return
    try:
        everything = turn.request.everything and turn.whole and memory.asks
        aside(partial(memory.write, turn.as_of, everything=everything), left, "memory")
    except Overdue:
        turn.warn("the memory is not written: its disk did not answer before the deadline")
    except RidgelineError as error:
        turn.warn(f"the memory is not written: {error}")
