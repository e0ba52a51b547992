"""The list of metrics comes to an end, whatever the server does, and what was listed is judged."""

from __future__ import annotations

import itertools
import resource
import time
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from rigs.redis import HOST, answers, commands, fake_redis, page, proxy, redis_server

from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.redis import listing
from ridgeline.io.redis.clock import clock_skew
from ridgeline.io.redis.listing import Listing
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.secret import Secret


def source_at(port: int, left: float | None = None, **changes) -> RedisSource:
    """A source of the fake server there, with so many seconds until its deadline."""
    end = time.monotonic() + (left or 0)
    return RedisSource(
        RedisSettings(f"redis://{HOST}:{port}", **{"timeout": 5.0, **changes}),
        deadline=None if left is None else lambda: end - time.monotonic(),
    )


def read_all(source: RedisSource) -> tuple[list[str], str]:
    """The metrics delivered, and the sentence that ended it."""
    metrics = []
    try:
        for matrix in source.chunks():
            metrics += matrix.metrics.to_pylist()
    except SourceUnavailable as error:
        return metrics, str(error)
    finally:
        source.close()
    return metrics, ""


def pages(*each: bytes):
    """SSCAN answers with these pages, one after the other, then for ever with the last."""
    left = iter(each)
    return lambda _: next(left, each[-1])


def name(number: int) -> bytes:
    return b"metrics.m%07d" % number


def test_names_that_come_twice_are_read_once():
    asked = []

    def mget(words):
        asked.extend(words[1:])
        return b"*%d\r\n" % (len(words) - 1) + b"$-1\r\n" * (len(words) - 1)

    repeated = pages(page(b"7", name(1), name(2), name(1)), page(b"3", name(2)), page(b"0", name(3), name(1)))
    with fake_redis(answers(SSCAN=repeated, MGET=mget)) as port:
        assert read_all(source_at(port)) == (["m0000001", "m0000002", "m0000003"], "")
    assert asked == [name(1), name(2), name(3)]


@given(st.lists(st.lists(st.binary(max_size=5), max_size=8), max_size=8))
@examples(25)
def test_a_listing_is_the_union_of_its_pages(each):
    found = Listing()
    for names in each:
        found.add(names)
    found.end()
    assert found.names == set(itertools.chain.from_iterable(each))
    assert found.incomplete is None


@pytest.mark.parametrize("first", [b"5", b"17"])
def test_a_server_that_goes_in_circles_is_left_and_what_it_listed_is_judged(monkeypatch, first):
    monkeypatch.setattr(listing, "STUCK", 50)
    seen = []

    def circle(words):
        seen.append(words[2])
        return page(b"17" if words[2] == b"5" else b"5", name(1), name(2))

    with fake_redis(answers(SSCAN=circle)) as port:
        metrics, said = read_all(source_at(port))
    assert metrics == ["m0000001", "m0000002"]
    assert "not all of metrics.unique_metrics of Redis at" in said
    assert "goes in circles, it gave 50 pages without a new name" in said
    assert len(seen) == 51


def test_names_without_end_are_limited(monkeypatch):
    monkeypatch.setattr(listing, "MOST", 500)
    number = itertools.count()
    with fake_redis(answers(SSCAN=lambda _: page(b"9", *(name(next(number)) for _ in range(100))))) as port:
        metrics, said = read_all(source_at(port))
    assert len(metrics) == 600
    assert "there are more than 500 names" in said


def test_names_too_long_are_left_out_and_told(monkeypatch):
    monkeypatch.setattr(listing, "LONGEST", 100)
    with fake_redis(answers(SSCAN=page(b"0", b"x" * 100, b"y" * 101, b"z" * 5000, name(1)))) as port:
        metrics, said = read_all(source_at(port))
    assert metrics == ["m0000001", "x" * 100]
    assert "2 names are longer than 100 bytes" in said


def test_a_slow_listing_leaves_time_to_judge_what_was_listed():
    number = itertools.count()

    def slow(_):
        time.sleep(0.05)
        return page(b"9", *(name(next(number)) for _ in range(10)))

    with fake_redis(answers(SSCAN=slow)) as port:
        source = source_at(port, 4.0)
        began = time.monotonic()
        metrics, said = read_all(source)
        assert time.monotonic() - began < 4.0
    assert len(metrics) >= 10
    assert len(metrics) == len(source.list()) == source.known(0)
    assert f"the time for it was over after {len(metrics)} names" in said


def test_a_slow_listing_that_ends_in_time_is_whole():
    number = itertools.count(1)

    def slow(_):
        time.sleep(0.02)
        at = next(number)
        return page(b"0" if at == 30 else b"%d" % at, *(name(10 * at + i) for i in range(10)))

    with fake_redis(answers(SSCAN=slow)) as port:
        metrics, said = read_all(source_at(port, 60.0))
    assert (len(metrics), said) == (300, "")


@pytest.mark.parametrize("command", ["SSCAN", "everything"])
def test_a_drip_ends_with_the_time_for_listing(command):
    reply = answers(SSCAN=page(b"0", *(name(i) for i in range(1000))))
    with fake_redis(reply, drip=0.01) as port:
        source = source_at(port, 2.0, connect_budget=0.9)
        began = time.monotonic()
        metrics, said = read_all(source)
        assert time.monotonic() - began < 15
    assert metrics == []
    assert "did not answer in the time that was left" in said


def test_a_listing_that_breaks_off_goes_on_where_it_was():
    with redis_server() as server, proxy(server.port) as between:
        server.client.sadd("metrics.unique_metrics", *(name(i) for i in range(60_000)))
        pieces = itertools.count()

        def cut(passed: int) -> None:
            if next(pieces) == 6:
                between.cut_after = passed + 1000
            elif between.connections > 1:
                between.cut_after = None

        between.on_reply = cut
        source = RedisSource(RedisSettings(between.url))
        assert source.list() == [f"m{i:07}" for i in range(60_000)]
        assert between.connections == 2
        source.close()


MALFORMED = {
    "no list": b"+OK\r\n",
    "nothing": b"*-1\r\n",
    "an empty list": b"*0\r\n",
    "no names": b"*1\r\n$1\r\n0\r\n",
    "three elements": b"*3\r\n$1\r\n0\r\n*0\r\n*0\r\n",
    "no cursor": b"*2\r\n$-1\r\n*0\r\n",
    "a cursor in words": b"*2\r\n$4\r\nnext\r\n*0\r\n",
    "a cursor below 0": b"*2\r\n$2\r\n-1\r\n*0\r\n",
    "a number for a cursor": b"*2\r\n:0\r\n*0\r\n",
    "a list for a cursor": b"*2\r\n*0\r\n*0\r\n",
    "an endless cursor": b"*2\r\n$40\r\n" + b"9" * 40 + b"\r\n*0\r\n",
    "a text for names": b"*2\r\n$1\r\n0\r\n$3\r\nabc\r\n",
    "nothing for names": b"*2\r\n$1\r\n0\r\n*-1\r\n",
    "numbers for names": b"*2\r\n$1\r\n0\r\n*2\r\n:1\r\n:2\r\n",
    "a name that is nothing": b"*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$-1\r\n",
    "lists for names": b"*2\r\n$1\r\n0\r\n*1\r\n*1\r\n$1\r\na\r\n",
    "an error among names": b"*2\r\n$1\r\n0\r\n*1\r\n-ERR no\r\n",
    "an error for names": b"*2\r\n$1\r\n0\r\n-ERR no\r\n",
    "names of other lengths": b"*2\r\n$1\r\n0\r\n*1\r\n$3\r\nabcdef\r\n",
    "a claim of names": b"*2\r\n$1\r\n0\r\n*2000000000\r\n",
    "a claim of a name": b"*2\r\n$1\r\n0\r\n*1\r\n$500000000\r\n",
}


@pytest.mark.parametrize("reply", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_page_of_names_is_one_sentence(reply):
    with fake_redis(answers(SSCAN=reply)) as port:
        source = source_at(port, timeout=20.0)
        began = time.monotonic()
        with pytest.raises(SourceUnavailable, match="does not speak Redis' protocol") as failure:
            source.list()
        assert time.monotonic() - began < 10  # it waited for nothing that was claimed
        source.close()
    assert "\n" not in str(failure.value)
    assert failure.value.exit_code == 69


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_the_clocks_are_compared_once(hours):
    asked = []

    def clock(words):
        asked.append(words)
        return b"*2\r\n$10\r\n%d\r\n$6\r\n123456\r\n" % (time.time() + 3600 * hours)

    with fake_redis(answers(TIME=clock)) as port:
        source = source_at(port)
        assert source.clock_skew is None
        read_all(source)
    assert len(asked) == 1
    assert source.clock_skew == pytest.approx(3600 * hours, abs=2)


@pytest.mark.parametrize(
    ("theirs", "ahead"), [(100.0, 0.0), (105.0, 0.0), (110.0, 0.0), (112.5, 2.5), (97.0, -3.0), (7310.0, 7200.0)]
)
def test_the_time_that_an_answer_takes_is_no_difference_of_clocks(theirs, ahead):
    """Asked at 100, answered at 110 by our clock."""
    ours = iter([100.0, 110.0])
    client = types.SimpleNamespace(set_response_callback=lambda *_: None, execute_command=lambda _: theirs)
    assert clock_skew(client, lambda: next(ours)) == ahead


def test_a_real_server_has_our_clock_and_one_that_does_not_tell_is_not_asked_again():
    with redis_server(acl={"mute": "on >pw +ping +sscan +mget +type ~metrics.*"}) as server:
        source = RedisSource(RedisSettings(server.url))
        source.list()
        assert source.clock_skew == pytest.approx(0, abs=1)
        silent = RedisSource(RedisSettings(server.url, username="mute", password=Secret("pw")))
        assert silent.list() == []
        assert silent.clock_skew is None
        for each in (source, silent):
            each.close()


@pytest.mark.parametrize(
    "reply", [b"-ERR unknown command 'TIME'\r\n", b"+OK\r\n", b"*1\r\n$1\r\n1\r\n", b"*2\r\n:1\r\n:2\r\n"]
)
def test_a_server_without_a_clock_is_read_all_the_same(reply):
    with fake_redis(answers(TIME=reply)) as port:
        source = source_at(port)
        assert read_all(source) == (["a", "b"], "")
    assert source.clock_skew is None


def test_where_no_clock_is_given_none_is_asked_for():
    seen = []
    reply = answers()

    def record(request):
        seen.extend(words[0] for words in commands(request))
        return reply(request)

    with fake_redis(record) as port:
        source = RedisSource(RedisSettings(f"redis://{HOST}:{port}"), now=None)
        assert source.list() == ["a", "b"]
        source.close()
    assert b"TIME" not in seen
    assert source.clock_skew is None


@pytest.mark.parametrize("count", [pytest.param(1_000_000, marks=pytest.mark.long), 50_000])
def test_memory_of_a_listing_is_that_of_its_names(count):
    with redis_server() as server:
        for first in range(0, count, 10_000):
            server.client.sadd("metrics.unique_metrics", *(name(i) for i in range(first, first + 10_000)))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        source = RedisSource(RedisSettings(server.url))
        names = source.list()
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        source.close()
    assert len(names) == count
    assert names[0] == "m0000000"
    assert names[-1] == f"m{count - 1:07}"
    assert grown * 1024 < 400 * count + 20_000_000  # a name, its key, their places, and pages
