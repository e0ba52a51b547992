"""A fleet of stored series and what is remembered of them, brought up to date by kernels alone; no server, no file."""

import struct
from dataclasses import dataclass, field

import numpy as np

from ridgeline.engine.memory.judging import switches_by_step
from ridgeline.engine.prepare.series import prepare
from ridgeline.engine.score.matrix import judge_rows
from ridgeline.engine.score.plan import Policies, ScorePlan
from ridgeline.engine.score.tables import Tables, exponential_weights, weight_sums
from ridgeline.io.redis.block import Block
from ridgeline.io.redis.decode import matrix_of as decoded
from ridgeline.io.redis.wire import Wire
from ridgeline.kernels.decode.layout import KINDS
from ridgeline.kernels.memory import layout
from ridgeline.kernels.native import loader
from ridgeline.kernels.score.layout import ANALYSED, COUNT, COUNTER, DATAPOINT, NEGATIVE, TIMESTAMP

LONGEST = 10_000
_tables = Tables()


def pair(t, x, stamp="integer"):
    """The bytes of a point as listeners write them: 15 bytes, or 19 where its stamp is a float."""
    head = b"\x92\xce" + struct.pack(">I", int(t)) if stamp == "integer" else b"\x92\xcb" + struct.pack(">d", t)
    return head + b"\xcb" + struct.pack(">d", x)


def packed(t, x, stamp="integer"):
    """The bytes of a series."""
    return b"".join(pair(*point, stamp) for point in zip(t, x, strict=True))


def bulk(data):
    """A bulk string reply."""
    return b"$%d\r\n%s\r\n" % (len(data), data)


def reply(stored, piece):
    """What the server says of a piece of a key: of what is stored there, bytes, None, or a value of another type."""
    if isinstance(stored, tuple):
        return b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"
    return bulk((stored or b"")[piece])


def matrix_of(stored):
    """What a full read of stored bytes gives: a row each; of a key that is absent, or no string, one without points."""
    values = b"".join(bulk(data) if isinstance(data, bytes) else b"$-1\r\n" for data in stored)
    wire, block = Wire(), Block(0, len(values))
    wire.arena.reserve(len(values), 0)
    wire.arena.view[: len(values)] = values
    wire.have = len(values)
    block.take(wire, len(stored))
    assert len(block) == len(stored)
    return decoded([f"m{i}" for i in range(len(stored))], block, 10**7)


@dataclass
class Fleet:
    """Stored values by row (`reply`), and the memory's rows. `size`: what a run asks of each tail, in bytes."""

    stored: list
    plan: ScorePlan = field(default_factory=ScorePlan)
    of_row: object = None
    asks: int = 0  # of every series, as `prepare` takes it
    size: int = layout.tail_size(4)
    queue_points: int = layout.QUEUE_POINTS

    def __post_init__(self):
        rows = len(self.stored)
        self.policies = Policies.encode(self.plan, self.of_row, rows)
        self.hot = np.zeros((rows, layout.HOT_WORDS), np.int64)
        self.queue = np.zeros((rows, layout.QUEUE_WORDS), np.int64)
        self.meanings = np.full(rows, 77, np.int64)
        self.judgements = 1000 + np.arange(len(self.plan.policies), dtype=np.int64)
        self.odd = np.zeros(rows, np.uint8)
        self.codes = np.full(rows, 255, np.uint8)
        self.changed = np.zeros(rows, np.uint8)
        self.dropped = np.zeros(len(KINDS), np.int64)
        none = np.empty(0, np.int64)
        self.news = np.empty(0, np.uint8), none, none, none
        self.weights = exponential_weights(LONGEST)
        self.totals, self.scales = weight_sums(LONGEST)
        self.critical = _tables.critical(self.policies.alphas, np.arange(LONGEST))

    @property
    def bytes(self):
        """uint8[n, HOT_BYTES]: the hot rows."""
        return self.hot.view(np.uint8)

    def mark(self, place):
        """uint8[n]: one of the rows' marks."""
        return self.bytes[:, layout.MARKS_BYTE + place]

    def judge(self, rows, now):
        """What a full read of some rows says, and their series as they are judged."""
        matrix = matrix_of([self.stored[row] for row in rows])
        plan = ScorePlan(self.plan.profile, self.plan.full_duration, now, policies=self.plan.policies)
        of_row, asks = self.policies.of_row[rows], np.full(len(rows), self.asks, np.uint8)
        windows = self.policies.full_duration[of_row]
        prepared = prepare(matrix, asks, np.full(len(rows), now), windows, plan.profile.encode())
        return judge_rows(matrix, plan, of_row, changed=prepared.changed), prepared

    def anchor(self, rows, now):
        """Read some rows in full, and remember them."""
        rows = np.asarray(rows, np.int64)
        judged, prepared = self.judge(rows, now)
        matrix, of_row, asks = prepared.cleaned, self.policies.of_row[rows], np.full(len(rows), self.asks, np.uint8)
        done = np.zeros(len(rows), np.uint8) if prepared.done is None else prepared.done
        queue = np.ascontiguousarray(self.queue[rows])
        loader.entry("anchor")(
            matrix.offsets, matrix.timestamps, matrix.values, matrix.duplicates, self.odd[rows] | matrix.disordered, asks, done, now,
            self.meanings[rows], self.policies.full_duration[of_row], of_row, self.judgements,
            self.plan.profile.encode(), self.weights, judged.outcomes, judged.anomalous.view(np.uint8),
            judged.results.points, judged.results.facts, rows, np.full(len(rows), self.queue_points),
            self.hot, queue, np.empty(layout.anchor_room(LONGEST)), 0, len(rows),
        )  # fmt: skip
        self.queue[rows] = queue
        return judged

    def rules(self, now):
        """What `tails` and `heads` are told of rules, in their order."""
        steps = self.hot[:, layout.STEP]
        of_row, switches = switches_by_step(self.policies, self.plan.profile.encode(), steps)
        return (
            now, self.meanings, self.policies.windows, self.policies.of_row, self.policies.numbers,
            self.policies.thresholds, self.judgements, of_row, switches, self.critical,
            self.weights, self.totals, self.scales,
        )  # fmt: skip

    def memory(self):
        """The rows, as entries are given them."""
        return self.hot, self.queue

    def take(self, replies, rows, now, have=None, cursor=None):
        """Give `tails` some bytes as they come from the socket; return its status and the cursor."""
        data = np.frombuffer(replies, np.uint8)
        cursor = np.zeros(layout.CURSOR, np.int64) if cursor is None else cursor
        cursor[layout.HAVE] = len(data) if have is None else have
        room = [np.empty(layout.tail_room(self.size), np.int64) for _ in range(3)]
        status = loader.entry("tails")(
            data, cursor, self.size, np.asarray(rows, np.int64), *self.memory(),
            *self.rules(now), self.codes, self.changed, self.dropped, *room, np.empty(layout.STACK, np.int64), *self.news,
        )  # fmt: skip
        return status, cursor

    def take_heads(self, replies, rows, now):
        """The same for `heads`."""
        data, cursor = np.frombuffer(replies, np.uint8), np.zeros(layout.CURSOR, np.int64)
        cursor[layout.HAVE] = len(data)
        status = loader.entry("heads")(
            data, cursor, np.asarray(rows, np.int64), *self.memory(), *self.rules(now), self.codes, self.changed,
            np.empty(layout.STACK, np.int64),
        )  # fmt: skip
        return status, cursor

    def ask(self, now):
        """Ask for the tails of all rows, then for the heads of those that want it; return their codes."""
        self.codes[:] = 255
        self.changed[:] = 0
        rows = np.arange(len(self.stored))
        status, cursor = self.take(b"".join(reply(data, slice(-self.size, None)) for data in self.stored), rows, now)
        assert (status, cursor[layout.DONE]) == (layout.OK, len(rows))
        heads = np.flatnonzero(self.codes == layout.HEAD)
        status, cursor = self.take_heads(
            b"".join(reply(self.stored[row], slice(0, layout.HEAD_SIZE)) for row in heads), heads, now
        )
        assert (status, cursor[layout.DONE]) == (layout.OK, len(heads))
        return self.codes.copy()

    def wrong(self, now):
        """Rows that are settled otherwise than a full read of what is stored would settle them."""
        rows = np.flatnonzero(self.codes <= layout.QUIET)
        if not len(rows):
            return []
        judged, prepared = self.judge(rows, now)
        hot, facts = self.hot[rows], judged.results.facts
        same = judged.outcomes == self.mark(layout.OUTCOME)[rows]
        same &= ~judged.anomalous
        same &= judged.results.points[:, DATAPOINT].view(np.int64) == hot[:, layout.VALUE]
        same &= facts[:, TIMESTAMP] == hot[:, layout.LAST]
        same &= facts[:, COUNT] == hot[:, layout.COUNT]
        same &= (facts[:, NEGATIVE] > 0) == (hot[:, layout.NEGATIVES] > 0)
        derived = self.mark(layout.STATE)[rows] >= layout.DERIVED
        same &= derived == ((prepared.labels() & 1) > 0)
        same &= derived | ((facts[:, COUNTER] > 0) == (self.mark(layout.COUNTER)[rows] > 0))
        return rows[~same].tolist()

    def minute(self, now):
        """One run: tails, heads, and the rest in full. Returns the codes; fails where a row is settled wrongly."""
        codes = self.ask(now)
        assert self.wrong(now) == []
        reads = np.flatnonzero(codes >= layout.ABSENT)
        if len(reads):
            self.anchor(reads, now)
        return codes


__all__ = ["ANALYSED", "Fleet", "bulk", "packed", "pair"]
