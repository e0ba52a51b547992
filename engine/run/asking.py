"""Asks for the newest points of what is remembered, and hands out what they settle."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from ridgeline.engine.memory.anchor import Anchor
from ridgeline.engine.memory.assignment import is_whole
from ridgeline.engine.memory.refresh import RUNS, due
from ridgeline.engine.memory.tails import Tails
from ridgeline.engine.run.anchoring import AnchorSink
from ridgeline.engine.run.following import Follower, Following, Follows
from ridgeline.engine.run.remembered import UNASKED
from ridgeline.engine.run.stages.shedding import order_of
from ridgeline.engine.run.turn import BUG
from ridgeline.io.errors import RidgelineError
from ridgeline.io.redis.marked import marked
from ridgeline.io.redis.tails import Ranges, Refused
from ridgeline.io.state.interface import StateError
from ridgeline.io.text import escape
from ridgeline.kernels.memory.layout import HEAD, READ_ODD, READ_REFRESH

if TYPE_CHECKING:
    from ridgeline.engine.run.budget import Budget
    from ridgeline.engine.run.remembered import Remembered
    from ridgeline.engine.run.settled import Ints, Settled
    from ridgeline.engine.run.turn import Turn
    from ridgeline.io.redis.source import RedisSource

GOODBYE: Final = 1.0  # seconds that a run waits for it where it breaks off
MANY: Final = 10  # rows are many where they are more than one part in so many


def following(turn: Turn, memory: Remembered) -> Following:
    """Who goes on from what the memory knows: the walks, and sinks that do."""
    found: list[Follower] = []
    if memory.kept is not None:
        from ridgeline.engine.run.walking import Walking

        found.append(Walking(memory, memory.kept, turn.as_of, memory.thresholds(turn.scorer)))
    judging = memory.judging(turn.scorer, turn.as_of)
    return Following(memory, [*found, *(one.follow(memory, judging) for one in turn.sinks if isinstance(one, Follows))])


class Question:
    """What the ends of series tell of the rows of a memory, asked on a thread of its own.

    The source is given what is to be read in full as soon as that is known, so that reading and scoring overlap with asking:
    the server is what both wait for. Nothing is handed to sinks before all has been answered.
    """

    def __init__(self, turn: Turn, memory: Remembered, source: RedisSource, following: Following) -> None:
        """Ask nothing yet; `begin` is the way in."""
        self._turn, self._memory, self._following = turn, memory, following
        self._early = np.zeros(len(memory.file), np.bool_)
        self._refusal: str | None = None
        self._stopped = threading.Event()
        self._ended: Future[Settled] = Future()
        self._thread = threading.Thread(target=self._work, name="tails", daemon=True)
        self._rows = _to_ask(turn, memory)
        self._order, self._line = order_of(turn), source.choose([], [])
        keys = memory.file.keys
        left = partial(_left, self._stopped, turn.budget)  # a method would keep the fleet until garbage is collected
        self._ranges = Ranges(source.client, source.settings, keys.offsets, keys.data, left)
        self._thresholds = memory.thresholds(turn.scorer)
        self._judging = memory.judging(turn.scorer, turn.as_of)

    @classmethod
    def begin(cls, turn: Turn, memory: Remembered, source: RedisSource, following: Following) -> Self:
        """Begin to ask; `end` takes in the answers."""
        question = cls(turn, memory, source, following)
        question._line.open()
        turn.cleanup.callback(question._abandon)
        question._thread.start()
        return question

    @property
    def bytes_read(self) -> int:
        """Of all answers."""
        return self._ranges.bytes_read

    def end(self) -> int:
        """Wait for all answers, tell the sinks what they settle, and return how many metrics that are.

        Where the server refuses, everything is read in full, as if nothing were remembered. Raises what the source raises
        if it gave no answer at all.
        """
        turn, settled = self._turn, self._ended.result()
        if self._refusal is not None:
            turn.warn(f"every series is read in full: {self._refusal}")
        hand_out(turn, settled)
        turn.sinks.append(anchoring(turn, self._memory, self._following))
        return len(settled)

    def _work(self) -> None:
        try:
            self._ended.set_result(self._ask())
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits for it
            self._ended.set_exception(error)
        finally:
            self._line.close()

    def _ask(self) -> Settled:
        """Bring rows up to date by the ends of their series, and have the rest read."""
        turn, memory, ranges, judging = self._turn, self._memory, self._ranges, self._judging
        following = self._following
        following.begin(self._rows)
        rows = self._rows[memory.codes[self._rows] == UNASKED]
        self._read_early(memory.rows)
        tails = Tails(
            memory.hot, memory.queue, judging, memory.codes, following.asked, following.news, self._read_early
        )
        try:
            tails.ask(ranges, rows, turn.as_of - memory.before)
        except Refused as error:
            self._refusal = str(error)
        except RidgelineError:
            if not ranges.bytes_read:
                raise
            # The source is lost midway: whoever reads the rest will say so.
        memory.changed |= tails.changed > 0
        following.end()
        self._read_rest()
        return memory.settled(judging, self._thresholds)

    def _read_early(self, rows: Ints) -> None:
        """Of these rows have those read in full of which that is known, where they are few: order matters to many."""
        codes = self._memory.codes[rows]
        unread = rows[(codes > HEAD) & (codes != UNASKED)]
        if len(unread) and MANY * len(unread) <= len(rows) and self._turn.places is None:
            self._early[unread] = True
            self._line.add(self._memory.names(unread), self._memory.keys(unread))

    def _read_rest(self) -> None:
        """Have all others read that are to be, in the order of a run that may not come to an end."""
        unread = self._memory.unread()
        rest = unread[~self._early[unread]]
        names, keys = self._memory.names(rest), self._memory.keys(rest)
        if self._turn.places is None:
            self._line.arrange(self._order, at_once=False)
        else:
            places = self._order(names).tolist()
            names, keys = [names[at] for at in places], [keys[at] for at in places]
        self._line.add(names, keys)

    def _abandon(self) -> None:
        """Ask no more, however the run ends."""
        self._stopped.set()
        self._thread.join(GOODBYE)


def _left(stopped: threading.Event, budget: Budget) -> float:
    """Seconds for which there is still use for answers."""
    return 0.0 if stopped.is_set() else budget.reading_left()


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


def _to_ask(turn: Turn, memory: Remembered) -> Ints:
    """The rows whose newest points may settle something, int64[k]; all others have a code that says why not."""
    known = memory.known()
    memory.codes[known] = UNASKED
    memory.codes[known[due(known, memory.runs)]] = READ_REFRESH
    memory.codes[_wanted(turn, memory)] = READ_REFRESH
    memory.codes[known[is_whole(memory.assignment[known])]] = READ_ODD
    asked: Ints = known[memory.codes[known] == UNASKED]
    return asked


def _wanted(turn: Turn, memory: Remembered) -> Ints:
    """The rows that somebody asks to be read in full: the canary's, and those whose past siblings have written anew."""
    canary = turn.request.config.statistics.canary
    names = set() if canary is None else {canary}
    if turn.siblings is not None:
        try:
            names |= marked(turn.siblings, memory.namespace)
        except StateError as error:
            turn.warn(f"{error}, so what siblings fill or sort shows within {RUNS} runs")
    rows = memory.rows_of(sorted(names))
    return rows[rows >= 0]
