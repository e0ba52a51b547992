"""Asks for the newest points of what is remembered, and hands out what they settle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ridgeline.engine.memory.anchor import Anchor
from ridgeline.engine.memory.assignment import is_whole
from ridgeline.engine.memory.refresh import RUNS, due
from ridgeline.engine.memory.tails import Tails
from ridgeline.engine.run.anchoring import AnchorSink
from ridgeline.engine.run.following import Follower, Following, Follows
from ridgeline.engine.run.remembered import UNASKED
from ridgeline.engine.run.statistics.canary import CanarySink
from ridgeline.engine.run.turn import BUG
from ridgeline.engine.run.walking import Walking
from ridgeline.io.errors import RidgelineError
from ridgeline.io.redis.marked import marked
from ridgeline.io.redis.tails import Ranges, Refused
from ridgeline.io.state.interface import StateError
from ridgeline.io.text import escape
from ridgeline.kernels.memory.layout import READ_ODD, READ_REFRESH

if TYPE_CHECKING:
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Ints, Settled
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.source import RedisSource

MANY: Final = 10  # rows are many where they are more than one part in so many


def following(turn: Turn, memory: Remembered) -> Following:
    """Who goes on from what the memory knows: the walks, and sinks that do."""
    found: list[Follower] = []
    if memory.kept is not None:
        found.append(Walking(memory, memory.kept, turn.as_of, memory.thresholds(turn.scorer)))
    judging = memory.judging(turn.scorer, turn.as_of)
    return Following(memory, [*found, *(one.follow(memory, judging) for one in turn.sinks if isinstance(one, Follows))])


def ask(turn: Turn, memory: Remembered, source: RedisSource, following: Following) -> None:
    """Bring rows up to date by the ends of their series, tell the sinks of those that this settles, and have the rest read.

    Where the server refuses, everything is read in full, as if nothing were remembered.
    """
    asked = memory.known()
    memory.codes[asked] = UNASKED
    memory.codes[asked[due(asked, memory.runs)]] = READ_REFRESH
    memory.codes[_wanted(turn, memory)] = READ_REFRESH
    memory.codes[asked[is_whole(memory.assignment[asked])]] = READ_ODD
    following.begin(asked[memory.codes[asked] == UNASKED])
    asked = asked[memory.codes[asked] == UNASKED]
    keys = memory.file.keys
    ranges = Ranges(source.client, source.settings, keys.offsets, keys.data, turn.budget.reading_left)
    judging = memory.judging(turn.scorer, turn.as_of)
    tails = Tails(memory.hot, memory.queue, judging, memory.codes, following.asked, following.news)
    try:
        tails.ask(ranges, asked, turn.as_of - memory.before)
    except Refused as error:
        turn.warn(f"every series is read in full: {error}")
    except RidgelineError:
        if not ranges.bytes_read:
            raise
        # The source is lost midway: whoever reads the rest will say so.
    source.bytes_read += ranges.bytes_read
    memory.changed |= tails.changed > 0
    if memory.kept is not None:
        memory.kept.late += tails.late
    following.end()
    hand_out(turn, memory.settled(judging, memory.thresholds(turn.scorer)))
    unread = memory.unread()
    source.choose(memory.names(unread), memory.keys(unread))


def hand_out(turn: Turn, settled: Settled) -> None:
    """Tell every sink of what is settled; one that fails is told no more, and costs no other anything."""
    turn.settled = len(settled)
    for sink in list(turn.sinks):
        try:
            sink.settle(settled)
        except Exception as error:  # noqa: BLE001 - a bug in one duty must not keep alerts back
            turn.sinks.remove(sink)
            turn.find(BUG, f"{type(sink).__name__} failed, a bug: {type(error).__name__}: {escape(error)}")
    if turn.request.progress is not None:
        turn.request.progress(len(settled))


def anchoring(turn: Turn, memory: Remembered, following: Following) -> AnchorSink:
    """What remembers the series that are read in full."""
    unread = memory.unread()
    memory.anchor = Anchor(memory.hot, memory.judging(turn.scorer, turn.as_of))
    rows = dict(zip(memory.names(unread), unread.tolist(), strict=True))
    return AnchorSink(memory, memory.anchor, following, rows, many=MANY * len(unread) > len(memory.rows))


def _wanted(turn: Turn, memory: Remembered) -> Ints:
    """The rows that somebody asks to be read in full: the canary's, and those whose past siblings have written anew."""
    canary = turn.sink(CanarySink)
    names = set() if canary is None else {canary.metric}
    if turn.siblings is not None:
        try:
            names |= marked(turn.siblings, memory.namespace)
        except StateError as error:
            turn.warn(f"{error}, so what siblings fill or sort shows within {RUNS} runs")
    rows = memory.rows_of(sorted(names))
    return rows[rows >= 0]
