"""The memory of one run: which rows it judges, what became of each, and how that is kept for the next one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from ridgeline.engine.memory.anchor import Anchor
from ridgeline.engine.memory.assignment import APART, asks_of, policy_of
from ridgeline.engine.memory.judging import Judging
from ridgeline.engine.memory.sections import HOT, QUEUE
from ridgeline.engine.memory.tails import ENTRIES
from ridgeline.engine.run.settled import Ints, Settled
from ridgeline.engine.score.sparse import Sparse, sparse_by_step
from ridgeline.engine.walks.said import Said, thresholds_of
from ridgeline.io.memory.file import MemoryFile
from ridgeline.io.memory.hashing import hashes
from ridgeline.io.memory.keys import Keys
from ridgeline.io.memory.slots import MOST_NOTES
from ridgeline.io.redis.source import key_of
from ridgeline.kernels.memory.layout import (
    ABSENT,
    AHEAD,
    CHECK,
    COUNT,
    COUNTER,
    DERIVED,
    LAST,
    MARKS_BYTE,
    NEGATIVES,
    OUTCOME,
    QUIET,
    RAW_COUNT,
    READ_NEW,
    READS,
    SETTLED,
    STATE,
    STEP,
    VALUE,
    WRONG_TYPE,
)
from ridgeline.kernels.memory.layout import READ as FIRST_READ
from ridgeline.kernels.prepare.layout import DERIVED as TURNED
from ridgeline.kernels.score.layout import TOO_SHORT
from ridgeline.kernels.shared.switches import MIN_POINTS

if TYPE_CHECKING:
    from ridgeline.engine.score.scorer import Scorer
    from ridgeline.engine.walks.kept import Kept

DOT: Final = ord(".")
MARKS: Final = np.array([OUTCOME, STATE, COUNTER])
UNASKED: Final = 255  # a code: no answer came, for want of time or rights
RUNS: Final = "runs"
BEFORE: Final = "before"
UNMATCHED: Final = "unmatched"
WALKS: Final = "walks"


@dataclass(eq=False)
class Remembered:
    """Rows of a file, and what a run makes of them.

    rows     int64[m], ascending: those that it judges
    codes    uint8[n]: what became of each (`kernels.memory.layout`)
    changed  bool[n]: whether it is to be written
    listed   whether the source was listed by this run: else names are those of the run before
    odd      the names of keys that do not say them by themselves
    asks     whether the ends of series may settle anything: else all are read in full, and what is known of them stays
    walks    whether walks are kept too, and `kept`: they, of all rows
    gaps     whether airgaps are kept too
    """

    file: MemoryFile
    namespace: str
    asks: bool = True
    walks: bool = False
    gaps: bool = False
    kept: Kept | None = None
    rows: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    listed: bool = True
    odd: Mapping[bytes, str] = field(default_factory=dict)
    anchor: Anchor | None = None

    @property
    def entries(self) -> tuple[str, ...]:
        """The kernel entries that it takes."""
        found = [*ENTRIES, "anchor"]
        if self.walks:
            from ridgeline.engine.walks.kept import ENTRIES as OF_WALKS

            found += OF_WALKS
        if self.gaps:
            from ridgeline.engine.memory.gaps import ENTRY as GAP_ROWS

            found.append(GAP_ROWS)
        return tuple(found)

    @property
    def runs(self) -> int:
        """How many runs there were that judged the whole fleet."""
        return int(self.file.notes.get(RUNS, 0))

    @property
    def before(self) -> int:
        """The clock of the last of them, epoch seconds; 0: there was none."""
        return int(self.file.notes.get(BEFORE, 0))

    @property
    def unmatched(self) -> Sequence[str] | None:
        """The patterns of the configuration that match no metric, where names are as they were; None: that is not known."""
        return None if self.listed else self.file.notes.get(UNMATCHED)

    @unmatched.setter
    def unmatched(self, patterns: Sequence[str]) -> None:
        few = len(json.dumps(patterns)) <= MOST_NOTES // 4
        self.file.notes[UNMATCHED] = list(patterns) if few else None

    def begin(self, rows: Ints, assignment: NDArray[np.int32]) -> None:
        """Judge these rows, each as it is assigned; what is known of none of them yet is to be read in full."""
        self.rows, self.assignment = rows, assignment
        self.codes = np.full(len(self.file), READ_NEW, np.uint8)
        self.changed = np.zeros(len(self.file), np.bool_)
        if self.walks:
            from ridgeline.engine.walks.kept import Kept

            self.kept = Kept(self.file)

    def apart(self) -> list[str]:
        """The names of the metrics that may be another program's to judge."""
        return self.names(self.rows[self.assignment[self.rows] & APART > 0])

    def known(self) -> Ints:
        """The rows that it judges and knows something of, int64[k]."""
        rows = self.rows[: np.searchsorted(self.rows, len(self.queue))]
        known: Ints = rows[self.hot[rows, CHECK] != 0]
        return known

    def newest(self, rows: Ints) -> Ints:
        """The newest point of some rows that the memory knows of, epoch seconds, int64[k]."""
        found: Ints = self.hot[rows, LAST] + self.hot.view(np.int32)[rows, AHEAD]
        return found

    def points(self, rows: Ints) -> Ints:
        """How many points the windows of some rows hold of their series as it came, int64[k]."""
        derived = self.hot.view(np.uint8)[rows, MARKS_BYTE + STATE] >= DERIVED
        found: Ints = np.where(derived, self.hot.view(np.int32)[rows, RAW_COUNT], self.hot[rows, COUNT])
        return found

    def leads(self, as_of: int) -> Ints:
        """Seconds from `as_of` to the newest point of what needs not be read, int64[k]."""
        found: Ints = self.newest(self.rows[self.codes[self.rows] <= QUIET]) - as_of
        return found

    def write(self, as_of: int, *, everything: bool) -> None:
        """Write it all; `everything`: the run judged the whole fleet. Raises Unusable."""
        if self.kept is not None:
            self.changed |= self.kept.touch()
            self.file.notes[WALKS] = self.kept.counts
        if everything:
            self.file.notes[RUNS], self.file.notes[BEFORE] = self.runs + 1, as_of
        if self.anchor is not None:
            for rows, queues in zip(self.anchor.rows, self.anchor.queues, strict=True):
                self.file.put(QUEUE.name, rows, queues.view(np.uint8))
        self.file.commit(self.changed, as_of)

    @property
    def hot(self) -> Ints:
        """int64[n, HOT_WORDS]: the rows, in memory of our own."""
        found: Ints = self.file.rows(HOT.name).view(np.int64)
        return found

    @property
    def queue(self) -> Ints:
        """int64[k, QUEUE_WORDS]: their queues, of the first k rows; read-only."""
        found: Ints = self.file.rows(QUEUE.name).view(np.int64)
        return found

    def thresholds(self, scorer: Scorer) -> NDArray[np.float64]:
        """What scores of walks are divided by, float64[n], as `engine.walks.said` has it."""
        return thresholds_of(scorer.overrides.policies, policy_of(self.assignment), len(self.assignment))

    def judging(self, scorer: Scorer, as_of: int) -> Judging:
        """By what the rows are judged."""
        of_row, asks = policy_of(self.assignment), asks_of(self.assignment)
        return Judging.of(scorer.plan, scorer.overrides.policies, of_row, asks, as_of)

    def names(self, rows: Ints) -> list[str]:
        """The base names of some rows."""
        prefix, odd = self.namespace.encode(), self.odd
        if not odd:
            return self.file.keys.names_of(rows, len(prefix))  # every other key begins with it
        texts = self.file.keys.texts_of(rows)
        return [odd[text] if text in odd else text.removeprefix(prefix).decode() for text in texts]

    def members(self, rows: Ints, timestamps: Ints, most: int) -> Iterator[tuple[int, bytes]]:
        """(how many, their bytes) of members about some rows, as `io.memory.members` has them."""
        from ridgeline.io.memory.members import framed, framed_pairs

        if not self.odd:
            return framed(self.file.keys, rows, len(self.namespace.encode()), timestamps, most)
        return framed_pairs(list(zip(self.names(rows), timestamps.tolist(), strict=True)), most)

    def namespaces(self, rows: Ints) -> dict[str, int]:
        """How many of the names of some rows begin with each text before their first dot."""
        if self.odd:
            return Counter(name.partition(".")[0] for name in self.names(rows))
        keys = self.file.keys
        starts, ends = keys.offsets[rows] + len(self.namespace.encode()), keys.offsets[rows + 1]
        dots = np.append(np.flatnonzero(keys.data == DOT), len(keys.data))
        ends = np.minimum(ends, dots[np.searchsorted(dots, starts)])
        hashed = hashes(keys.part(starts, ends))
        order = np.argsort(hashed, kind="stable")
        first = np.flatnonzero(np.append(True, np.diff(hashed[order]) != 0)[: len(rows)])  # of all that begin alike
        counts = np.diff(np.append(first, len(rows))).tolist()
        names = self.names(rows[order[first]])
        return {name.partition(".")[0]: count for name, count in zip(names, counts, strict=True)}

    def keys(self, rows: Ints) -> list[bytes]:
        """Their keys."""
        return self.file.keys.texts_of(rows)

    def rows_of(self, names: Sequence[str]) -> Ints:
        """The rows of some names, int64[k]; -1: there is none."""
        return self.file.rows_of(self._keys_of(names))

    def settled(self, judging: Judging, thresholds: NDArray[np.float64]) -> Settled:
        """What needs not be read; thresholds float64[n] as `engine.walks.said` has them."""
        rows = self.rows[self.codes[self.rows] <= QUIET]
        hot = self.hot  # column by column: whole rows would be copied for the sake of a third of them
        outcomes, states, counters = hot.view(np.uint8)[rows[:, None], MARKS_BYTE + MARKS].T
        said = None if self.kept is None else Said.by(self.kept.hot, rows, thresholds[rows], judging.as_of)
        if said is not None:
            outcomes = said.outcomes(outcomes)
        short, derived = outcomes == TOO_SHORT, states >= DERIVED
        return Settled(
            outcomes=outcomes,
            reasons=np.zeros(len(rows), np.uint8),
            timestamps=hot[rows, LAST],
            datapoints=hot.view(np.float64)[rows, VALUE],
            counters=counters > 0,
            done=np.where(derived, TURNED, 0).astype(np.uint8),
            sparse=self._sparse(judging, rows[short]),
            naming=lambda places: self.names(rows[places]),
            framing=lambda places, stamps, most: self.members(rows[places], stamps, most),
            namespaces=lambda places: self.namespaces(rows[places]),
            finding=lambda names: _places(rows, self.rows_of(names)),
            hashed=lambda names: hashes(self._keys_of(names)),
            said=said,
            columns={
                "points": lambda: self.points(rows),
                "windows": lambda: judging.windows[rows],
                "negatives": lambda: hot[rows, NEGATIVES] > 0,
                "resolutions": lambda: hot[rows, STEP],
                "hashes": lambda: self.file.roster.hashed[rows],
            },
        )

    def unread(self) -> Ints:
        """The rows that are to be read in full, int64[k]."""
        return self.rows[self.codes[self.rows] > QUIET]

    def reads(self) -> dict[str, int]:
        """How many rows are `settled`, and how many are read in full by reason, the most frequent first."""
        counts = np.bincount(self.codes[self.rows], minlength=QUIET + 1)
        settled = int(counts[SETTLED] + counts[QUIET])
        read = {
            word_of(code): int(counts[code]) for code in np.flatnonzero(counts).tolist() if code not in {SETTLED, QUIET}
        }
        return {"settled": settled, **dict(sorted(read.items(), key=lambda one: -one[1]))}

    def _sparse(self, judging: Judging, rows: Ints) -> Sparse:
        needed = int(judging.switches[MIN_POINTS])
        return sparse_by_step(self.hot[rows, STEP], judging.windows[rows], needed, lambda some: self.names(rows[some]))

    def _keys_of(self, names: Sequence[str]) -> Keys:
        odd = {name: key for key, name in self.odd.items()}
        return Keys.of([odd[name] if name in odd else key_of(name, self.namespace) for name in names])


def word_of(code: int) -> str:
    """What a code of the memory is called in reports."""
    if FIRST_READ <= code < UNASKED:
        return READS[code - FIRST_READ]
    return {ABSENT: "absent", WRONG_TYPE: "wrong_type"}.get(code, "unasked")


def _places(rows: Ints, wanted: Ints) -> Ints:
    """The places of some rows among others, which ascend; -1: it is none of them."""
    places = np.minimum(np.searchsorted(rows, wanted), max(len(rows) - 1, 0))
    found = np.full(len(wanted), -1, np.int64)
    if len(rows):
        hit = rows[places] == wanted
        found[hit] = places[hit]
    return found
