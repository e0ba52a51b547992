"""The entry `decode` takes values out of a reply as far as it has come, however it is cut, and refuses what is framed wrongly."""

from __future__ import annotations

import struct

import msgpack
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ridgeline.kernels.decode import entry
from ridgeline.kernels.decode.layout import (
    ABSENT,
    AT,
    FULL,
    HAVE,
    INTEGER_TIMESTAMPS,
    INTEGER_VALUES,
    KINDS,
    LIMIT,
    MORE,
    NEED,
    NESTING,
    ODD,
    REFUSED,
    ROW,
    STATE,
    STOP,
    TAKEN,
)

T0 = 1_700_000_000


class Reader:
    """The entry over a reply, with room for so many rows and points."""

    def __init__(self, reply: bytes, rows: int, points: int = 1000, limit: int = 1 << 20) -> None:
        self.data = np.frombuffer(reply or b"\0", np.uint8).copy()
        self.state = np.zeros(STATE, np.int64)
        self.state[STOP], self.state[LIMIT] = rows, limit
        self.timestamps, self.bits = np.full(points, -1, np.int64), np.zeros(points, np.int64)
        self.offsets, self.sizes = np.zeros(rows + 1, np.int64), np.full(rows, -9, np.int64)
        self.dropped, self.disordered = np.full((rows, len(KINDS)), -9, np.int64), np.full(rows, 9, np.uint8)
        self.integers = np.full(rows, 9, np.uint8)

    def take(self, have: int) -> int:
        self.state[HAVE] = have
        return entry.run(
            self.data, self.state, self.timestamps, self.bits, self.offsets, self.sizes, self.dropped, self.disordered,
            self.integers, np.empty(NESTING, np.int64),
        )  # fmt: skip

    def rows(self) -> list[list[tuple[int, float]] | None]:
        """The points of each row that was taken; None: no value."""
        values = self.bits.view(np.float64)
        pieces = [slice(*self.offsets[row : row + 2]) for row in range(self.state[ROW])]
        return [
            None if size == ABSENT else list(zip(self.timestamps[piece].tolist(), values[piece].tolist(), strict=True))
            for size, piece in zip(self.sizes.tolist(), pieces, strict=False)
        ]


def point(stamp: int, value: float) -> bytes:
    return b"\x92\xce" + struct.pack(">I", stamp) + b"\xcb" + struct.pack(">d", value)


def bulk(value: bytes | None) -> bytes:
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


series = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(allow_nan=False, allow_infinity=False)), max_size=5)


@given(st.lists(st.none() | series, max_size=6), st.lists(st.integers(0, 400), max_size=20))
@example([[(13, 10.0)] * 3, None, []], [*range(60)])
def test_a_reply_that_comes_in_pieces_reads_as_one(fleet, cuts):
    values = [None if one is None else b"".join(point(*pair) for pair in one) for one in fleet]
    reply = b"".join(map(bulk, values))
    reader = Reader(reply, len(fleet))
    for have in sorted(min(cut, len(reply)) for cut in cuts):
        before = int(reader.state[AT])
        status = reader.take(have)
        assert before <= reader.state[AT] <= have
        assert status in {MORE, TAKEN}
        if status == MORE:  # what it waits for is no more than what must come
            assert have - reader.state[AT] < reader.state[NEED] <= len(reply) - reader.state[AT]
    assert reader.take(len(reply)) == TAKEN
    assert reader.state[AT] == len(reply)
    assert reader.rows() == fleet
    assert reader.sizes.tolist() == [ABSENT if value is None else len(value) for value in values]
    assert not reader.dropped.any()


def test_what_is_told_of_each_row():
    values = [
        point(T0 + 60, 1.0) + point(T0, 2.0), None, msgpack.packb([T0, 5]) * 2, b"", msgpack.packb([T0 + 0.5, 7]),
        msgpack.packb([T0, None]) + point(T0, 1.0)[:-1],
    ]  # fmt: skip
    reply = b"".join(map(bulk, values))
    reader = Reader(reply, len(values))
    assert reader.take(len(reply)) == TAKEN
    assert reader.disordered.tolist() == [1, 0, 1, 0, 0, 0]
    both = INTEGER_TIMESTAMPS | INTEGER_VALUES
    assert reader.integers.tolist() == [INTEGER_TIMESTAMPS, 0, both, 0, INTEGER_VALUES, INTEGER_TIMESTAMPS]
    assert reader.dropped.sum(axis=1).tolist() == [0, 0, 0, 0, 0, 2]
    assert reader.dropped[5, [KINDS.index("null"), KINDS.index("truncated")]].tolist() == [1, 1]


@pytest.mark.parametrize(
    "header",
    [
        b"-ERR no\r\n", b":5\r\n", b"*1\r\n", b"$\r\n", b"$-\r\n", b"$-2\r\n", b"$--1\r\n", b"$-1x\r\n", b"$1-\r\n", b"$+5\r\n",
        b"$5\n\r", b"$5 \r\n", b"$5\rx", b"$" + b"0" * 40 + b"\r\n", b"$" + b"0" * 31, b"\r\n", b"\0" * 40,
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused_and_what_came_before_it_kept(header):
    before = bulk(point(T0, 1.0))
    reader = Reader(before + header, 2)
    assert reader.take(len(before + header)) == ODD
    assert reader.state[AT] == len(before)
    assert reader.rows() == [[(T0, 1.0)]]


@pytest.mark.parametrize("end", [b"x\r", b"\r\r", b"\n\r", b"\0\0"])
def test_a_value_of_another_length_than_announced_is_refused(end):
    reply = b"$15\r\n" + point(T0, 1.0) + end
    reader = Reader(reply, 1)
    assert reader.take(len(reply)) == ODD
    assert (reader.state[AT], reader.state[ROW]) == (0, 0)


@pytest.mark.parametrize("length", [1001, 2**31, 2**62, 2**63, 2**64, 10**27])
def test_a_value_beyond_the_limit_is_refused_unread(length):
    reply = bulk(point(T0, 1.0)) + b"$%d\r\n" % length
    reader = Reader(reply, 3, limit=1000)
    assert reader.take(len(reply)) == REFUSED
    assert (reader.state[AT], reader.state[ROW]) == (len(bulk(point(T0, 1.0))), 1)


def test_leading_zeros_and_the_longest_header():
    reply = b"$" + b"0" * 27 + b"15\r\n" + point(T0, 1.0) + b"\r\n"
    reader = Reader(reply, 1)
    assert reader.take(len(reply)) == TAKEN
    assert reader.rows() == [[(T0, 1.0)]]


def test_a_row_without_room_is_left_for_other_columns():
    reply = bulk(point(T0, 1.0) * 3) + bulk(point(T0, 2.0) * 3)
    for points in range(7):
        reader = Reader(reply, 2, points)
        assert reader.take(len(reply)) == (TAKEN if points == 6 else FULL)
        assert reader.state[ROW] == points // 3
        assert reader.state[AT] == points // 3 * len(reply) // 2
        if points < 6:
            assert reader.state[NEED] == len(reply) // 2


def test_it_stops_at_the_row_that_is_asked_for():
    reply = bulk(point(T0, 1.0)) * 3
    reader = Reader(reply, 3)
    reader.state[STOP] = 2
    assert reader.take(len(reply)) == TAKEN
    assert reader.state[AT] == 2 * len(reply) // 3
    reader.state[STOP] = 3
    assert reader.take(len(reply)) == TAKEN
    assert reader.rows() == [[(T0, 1.0)]] * 3
