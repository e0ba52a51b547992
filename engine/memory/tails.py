"""Brings rows of a memory up to date by the newest points of their series, and says which are to be read in full, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.memory.answers import Answers, News
from ridgeline.kernels.decode.layout import KINDS
from ridgeline.kernels.memory.layout import (
    AT,
    CURSOR,
    DONE,
    HAVE,
    HEAD,
    LAST,
    READ_NO_JUNCTION,
    STACK,
    STEP,
    tail_room,
    tail_size,
)
from ridgeline.kernels.native import loader

if TYPE_CHECKING:
    from ridgeline.engine.memory.judging import Judging
    from ridgeline.io.redis.tails import Consume, Ranges

Ints = NDArray[np.int64]

MOST: Final = (
    256  # points that may be expected of a tail: beyond, nearly a whole queue has left, and a window is as cheap
)
MOST_NEWS: Final = 1 << 22  # new points that are held at once
ENTRIES: Final = ("requests", "tails", "heads")


@dataclass(slots=True)
class Tails:
    """Rows hot int64[n, HOT_WORDS] and queue int64[n, QUEUE_WORDS], which is only read.

    Afterwards: codes uint8[n] and changed uint8[n] as `kernels.memory.layout` has them, of the rows asked about;
    dropped int64[KINDS]: points of no use.

    news is given the new points of the rows asked for, asked uint8[n]: rows int64[k], offsets int64[k + 1],
    timestamps int64[N], values float64[N], some at a time. `answered` is told of rows int64[k] that their codes are known:
    that, too, of those that are still to be asked for the HEAD.
    """

    hot: Ints
    queue: Ints
    judging: Judging
    codes: NDArray[np.uint8]
    asked: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    news: News | None = None
    answered: Callable[[Ints], None] | None = None
    changed: NDArray[np.uint8] = field(init=False)
    dropped: Ints = field(default_factory=lambda: np.zeros(len(KINDS), np.int64))

    def __post_init__(self) -> None:
        self.changed = np.zeros(len(self.hot), np.uint8)

    def ask(self, ranges: Ranges, rows: Ints, since: int) -> None:
        """Ask for the ends of series, rows int64[m] ascending, `since`: seconds since they were asked for last.

        Codes of what the time does not allow stay as they are. Raises what `Ranges` raises.
        """
        rules = self.judging.rules(self.hot)
        memory = (self.hot, self.queue)
        silent = np.minimum(self.judging.as_of - self.hot[rows, LAST], since)
        for expected, some in by_expected(rows, self.hot[rows, STEP], silent):
            if expected > MOST:
                self.codes[some] = READ_NO_JUNCTION
                continue
            for piece in self._pieces(some, expected):
                self._tails(ranges, piece, expected, (*memory, *rules))
        waiting = rows[self.codes[rows] == HEAD]
        if len(waiting):
            rest = (*memory, *rules, self.codes, self.changed, np.empty(STACK, np.int64))
            ranges.heads(waiting, consumer("heads", (waiting, *rest)))

    def _pieces(self, rows: Ints, expected: int) -> Iterator[Ints]:
        """The rows, in pieces whose new points are not too many to be held at once."""
        step = max(len(rows), 1) if self.news is None else max(MOST_NEWS // _news_of(expected), 1)
        for start in range(0, len(rows), step):
            yield rows[start : start + step]

    def _tails(self, ranges: Ranges, rows: Ints, expected: int, known: tuple[Any, ...]) -> None:
        """Ask for the tails of some rows, and hand on what is new in them."""
        size = tail_size(expected)
        room = [np.empty(tail_room(size), np.int64) for _ in range(3)]
        most = 0 if self.news is None else len(rows) * _news_of(expected)
        new_t, new_bits, handed = np.empty(most, np.int64), np.empty(most, np.int64), np.zeros(len(rows), np.int64)
        rest = (*known, self.codes, self.changed, self.dropped, *room, np.empty(STACK, np.int64))
        answers = Answers(rows, new_t, new_bits, handed, self.news, self.answered)
        consume = consumer("tails", (size, rows, *rest, self.asked, new_t, new_bits, handed))
        try:
            ranges.tails(rows, size, answers.following(consume))
        finally:
            answers.tell(ranges.answered)


def _news_of(expected: int) -> int:
    """How many new points there is room for of each row that is to have so many at most."""
    return 4 + 2 * expected


def by_expected(rows: Ints, steps: Ints, since: Ints) -> Iterator[tuple[int, Ints]]:
    """(how many new points to expect at most, rows) of rows int64[m] with these steps, 0 where unknown, after these seconds.

    Rows that expect about as many are asked together, since one size goes for all that are.
    """
    expected = -(-np.maximum(since, 1) // np.maximum(steps, 1))
    sizes = np.frexp(np.clip(expected, 1, 2 * MOST) - 0.5)[1]  # 1, 2, 4, 8, ...
    for size in range(int(sizes.max(initial=-1)) + 1):
        some = rows[sizes == size]
        if len(some):
            yield 1 << size, some


def consumer(name: str, rest: tuple[Any, ...]) -> Consume:
    """What takes replies in: the entry of that name, given `rest` after the bytes.

    It is called for each piece that comes from the socket: its arguments are checked once, as long as the bytes lie
    in the same memory.
    """
    entry, cursor = loader.entry(name), np.zeros(CURSOR, np.int64)
    memory: NDArray[np.uint8] | None = None
    take: Callable[[], int]

    def consume(data: NDArray[np.uint8], at: int, have: int, done: int) -> tuple[int, int, int]:
        nonlocal memory, take
        if data is not memory:
            memory, take = data, entry.bound(data, cursor, *rest)
        cursor[AT], cursor[DONE], cursor[HAVE] = at, done, have
        status = take()
        return int(cursor[AT]), int(cursor[DONE]), status

    return consume
