"""Replies are read as the server framed them, wherever they are cut; what is no reply is refused before it costs anything."""

from __future__ import annotations

import contextlib
import itertools
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as BrokenError
from redis.exceptions import InvalidResponse, MovedError, ResponseError
from rigs.examples import examples
from rigs.redis import bulk, listed

from ridgeline.io.redis import reply as reply_module
from ridgeline.io.redis.arena import Arena
from ridgeline.io.redis.reply import DEEPEST, ReplyReader
from ridgeline.io.redis.wire import BULK, LIST, PIECE, Wire

# What a reply may hold, and the bytes that a server sends for it.
values = st.recursive(
    st.none() | st.binary(max_size=40) | st.integers(-(2**63), 2**63 - 1) | st.builds(ResponseError, st.just("ERR no")),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=25,
).filter(lambda value: depth(value) <= DEEPEST)


def depth(value: Any) -> int:
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def encoded(value: Any) -> bytes:
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(encoded, value))
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, Exception):
        return b"-%b\r\n" % str(value).encode()
    return bulk(value)


def plain(value: Any) -> Any:
    """A value that can be compared: errors by their text."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    return ("error", str(value).removeprefix("ERR ")) if isinstance(value, Exception) else value


class Pieces:
    """A socket that gives these pieces, one per read, and is closed after them, or silent if it is asked to."""

    def __init__(self, pieces: Iterator[bytes], *, silent: bool = False) -> None:
        self._pieces, self._silent, self._rest = pieces, silent, b""

    def recv_into(self, buffer: memoryview) -> int:
        piece = self._rest or next(self._pieces, b"")
        if not piece and self._silent:
            raise TimeoutError
        self._rest = piece[len(buffer) :]
        buffer[: len(piece)] = piece[: len(buffer)]
        return min(len(piece), len(buffer))


def reader_of(data: bytes, cuts: list[int] = (), *, silent: bool = False) -> ReplyReader:
    """A reader whose socket gives the data cut at these places."""
    edges = [0, *sorted(cut for cut in set(cuts) if 0 < cut < len(data)), len(data)]
    reader = ReplyReader()
    pieces = (data[low:high] for low, high in itertools.pairwise(edges) if high > low)
    reader.wire.open(Pieces(pieces, silent=silent))
    return reader


@given(st.lists(values, min_size=1, max_size=4), st.lists(st.integers(0, 400), max_size=12))
@examples(100)
@example([[b"a", b"b\r\n", b""]], list(range(60)))
@example([[None, [], [[b"x"]]], b"$3\r\nabc\r\n"], list(range(60)))
def test_any_reply_cut_anywhere_is_read_as_it_was_sent(sent, cuts):
    data = b"".join(map(encoded, sent))
    reader = reader_of(data, cuts)
    assert [plain(reader.read_response()) for _ in sent] == [plain(each) for each in sent]
    with pytest.raises(BrokenError, match="closed the connection"):
        reader.read_response()


@given(
    st.binary(max_size=60)
    | st.lists(
        st.sampled_from([b"*", b"$", b":", b"-", b"+", b"\r\n", b"1", b"2", b"9" * 30, b"-1", b"a"]), max_size=20
    ).map(b"".join)
)
@examples(150)
def test_any_bytes_are_a_reply_or_one_kind_of_error(data):
    reader = reader_of(data)
    with contextlib.suppress(redis.RedisError):
        for _ in range(20):
            reader.read_response()


@pytest.mark.parametrize(
    "claim",
    [
        b"*2000000000\r\n", b"$500000000\r\n", b"*2\r\n*2000000000\r\n", b"*1\r\n$500000000\r\n", b"$67108865\r\n",
        b"*9223372036854775807\r\n", b"$99999999999999999999\r\n", b"*1\r\n" * (DEEPEST + 1), b"$-2\r\n", b"*-2\r\n", b"$+5\r\n",
        b"$ 5\r\n", b"$\r\n", b"*\r\n", b"$5_0\r\n", b"*1\r\n$1_0\r\n", b"$" + b"0" * 40, b":\r\n", b":-\r\n", b":1_0\r\n",
        b":" + b"1" * 21 + b"\r\n", b"+" + b"x" * 20_000, b"!3\r\nabc\r\n", b"\r\n", b"\n",
    ],
)  # fmt: skip
def test_a_claim_that_cannot_be_right_is_refused_unread(claim):
    """The socket has nothing more to give: a reader that waits for what was claimed would time out."""
    reader = reader_of(claim, silent=True)
    with pytest.raises(InvalidResponse):
        reader.read_response()
    assert len(reader.wire.arena.memory) <= 2 * 2**20


@pytest.mark.parametrize("end", [b"xx", b"\rx", b"x\n", b"\n\r", b"\r\r"])
@pytest.mark.parametrize("cuts", [[], list(range(60))])
@pytest.mark.parametrize("before", [b"", b"*1\r\n", b"*3\r\n$1\r\na\r\n"])
def test_a_value_that_does_not_end_where_it_was_said_to_is_refused(end, cuts, before):
    with pytest.raises(InvalidResponse):
        reader_of(before + b"$3\r\nabc" + end + b"$1\r\nz\r\n", cuts).read_response()


@pytest.mark.parametrize("cuts", [[], [1, 7, 30, 900]])
@pytest.mark.parametrize(
    "reply",
    [
        bulk(b"x" * 992), listed(b"x" * 987), listed(*[b"x" * 12] * 50),
        b"*248\r\n" + b":1\r\n" * 248,
    ],
)  # fmt: skip
def test_a_reply_may_be_as_large_as_the_limit_and_no_larger(monkeypatch, cuts, reply):
    monkeypatch.setattr(reply_module, "WHOLE", len(reply))
    first = reader_of(reply * 2, cuts)
    assert first.read_response() == first.read_response()
    monkeypatch.setattr(reply_module, "WHOLE", len(reply) - 1)
    with pytest.raises(InvalidResponse, match="MiB are the limit"):
        reader_of(reply, cuts).read_response()


def test_many_small_replies_take_no_more_room_than_one():
    count = 50_000
    reader = reader_of(b"$1\r\na\r\n" * count)
    assert [reader.read_response() for _ in range(count)] == [b"a"] * count
    assert len(reader.wire.arena.memory) < 4 * 2**20


def test_errors_are_the_librarys_own_and_a_broken_one_is_no_bug():
    assert isinstance(reader_of(b"-MOVED 1 h:1\r\n").read_response(), MovedError)
    for broken in (b"-MOVED\r\n", b"-MOVED x\r\n", b"-ASK 1 2\r\n", b"-\r\n", b"-\xff\xfe\r\n"):
        assert isinstance(reader_of(broken).read_response(), ResponseError)
    with pytest.raises(BrokenError, match="no"):
        reader_of(b"-NOAUTH no\r\n").read_response()


def test_what_lies_ahead_moves_to_the_front_where_there_is_no_room_behind_it():
    values = [bytes([97 + i]) * 100_000 for i in range(9)]
    wire = reader_of(listed(*values, None)).wire
    assert wire.header(LIST) == 10
    for value in values:
        wire.fetch(100_000 + 11)
        start, end = wire.value(wire.header(BULK))
        assert bytes(wire.arena.view[start:end]) == value
    assert wire.header(BULK) == -1
    assert wire.ahead == 0
    assert len(wire.arena.memory) <= 2 * PIECE


def test_an_arena_keeps_what_it_held_when_it_grows():
    arena = Arena(4096)
    arena.view[:5] = b"kept!"
    arena.reserve(100_000, 5)
    assert bytes(arena.data[:5]) == b"kept!"
    assert len(arena.data) == len(arena.view) == len(arena.memory) >= 100_000
    arena.reserve(10, 5)
    assert bytes(arena.view[:5]) == b"kept!"


def test_stray_bytes_are_seen_and_silence_is_not_taken_for_the_end():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = ReplyReader()
        reader.wire.open(ours)
        ours.settimeout(5.0)
        assert not reader.can_read()
        theirs.sendall(b"+stray\r\n")
        assert reader.can_read(1.0)
        assert reader.read_response() == b"stray"
        assert ours.gettimeout() == 5.0
        theirs.close()
        with pytest.raises(BrokenError):
            reader.can_read(1.0)


def test_a_closed_wire_says_so():
    with pytest.raises(BrokenError, match="was closed here"):
        Wire().receive()
