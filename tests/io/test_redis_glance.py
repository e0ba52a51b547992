"""Names by their number and a part of them per run: what changed is seen in time, and no server can make that endless."""

import itertools
import time

import pytest
from rigs.redis import answers, fake_redis, page, redis_server

from ridgeline.io.errors import AuthenticationFailed, SourceUnavailable
from ridgeline.io.redis.glance import glance
from ridgeline.io.redis.listing import LONGEST
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.redis.tails import Refused
from ridgeline.io.secret import Secret

SET = "metrics.unique_metrics"
RUNS = 10


def source_of(url, *, now=time.time, deadline=None, **changes) -> RedisSource:
    options = {"timeout": 20.0, "connect_budget": 20.0, **changes}
    return RedisSource(RedisSettings(url, **options), deadline=deadline, now=now)


def fleet(size):
    return [b"metrics.host%d.cpu" % i for i in range(size)]


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


@pytest.fixture
def client(server):
    yield server.client
    server.client.flushall()


@pytest.mark.parametrize("size", [1, 9, 100, 999, 12_345, 60_000])
@pytest.mark.parametrize("before", [0, 3, 8])
def test_one_in_one_out_is_seen_within_ten_runs(server, client, size, before):
    """Wherever the looks had come to, and whichever the name is; the number does not tell."""
    names = fleet(size)
    client.sadd(SET, *names)
    source, cursor = source_of(server.url), 0
    for _ in range(before):
        cursor = glance(source, SET, cursor, size // RUNS + 1).cursor
    new = {b"metrics.new%d" % i for i in range(min(size, 50))}
    client.srem(SET, *names[: len(new)])
    client.sadd(SET, *new)
    seen = set()
    for _ in range(RUNS):
        found = glance(source, SET, cursor, size // RUNS + 1)
        assert found.count == size
        seen.update(found.keys)
        cursor = found.cursor
    assert seen == {*names[len(new) :], *new}
    source.close()


def test_a_look_is_a_tenth_and_no_listing(server, client):
    names = fleet(50_000)
    client.sadd(SET, *names)
    source = source_of(server.url)
    found = glance(source, SET, 0, 5000)
    assert (found.count, found.cursor > 0) == (50_000, True)
    assert 5000 <= len(found.keys) < 15_000
    client.sadd(SET, "metrics.one.more")
    assert glance(source, SET, found.cursor, 1).count == 50_001
    assert abs(source.clock_skew) < 60


@pytest.mark.parametrize("cursor", [2**63, 2**64 - 1, 2**64, -1, 10**40])
def test_any_cursor_will_do(server, client, cursor):
    client.sadd(SET, *fleet(2000))
    assert len(set(glance(source_of(server.url), SET, cursor, 2000).keys)) >= 1000


def test_no_names_and_no_set(server, client):
    assert glance(source_of(server.url, now=None), SET, 5, 1).keys == []
    client.set(SET, "text")
    with pytest.raises(Refused, match="WRONGTYPE"):
        glance(source_of(server.url), SET, 0, 1)


def test_a_user_who_may_not_count_is_refused():
    with redis_server(acl={"reader": "on >pw +ping +time +sscan ~metrics.*"}) as server:
        source = source_of(server.url, username="reader", password=Secret("pw"))
        with pytest.raises(Refused, match="does not let this user do that"):
            glance(source, SET, 0, 10)
        assert source.list() == []


@pytest.mark.parametrize("reply", [b"+many\r\n", b"$1\r\n5\r\n", b":-1\r\n", b"*0\r\n", b":12x\r\n"])
def test_a_count_that_is_none(reply):
    with fake_redis(answers(SCARD=reply)) as port, pytest.raises(SourceUnavailable, match="speak Redis' protocol"):
        glance(source_of(f"redis://127.0.0.1:{port}"), SET, 0, 1)


def test_no_more_after_a_refused_password():
    reply = answers(SCARD=b"-NOAUTH Authentication required.\r\n")
    with fake_redis(reply) as port, pytest.raises(AuthenticationFailed):
        glance(source_of(f"redis://127.0.0.1:{port}"), SET, 0, 1)


def test_a_server_that_goes_in_circles_comes_to_an_end():
    """Pages without a name and without an end, and pages of the same names."""
    pages = itertools.count(1)
    with fake_redis(answers(SCARD=b":1000\r\n", SSCAN=lambda _: page(b"%d" % next(pages)))) as port:
        found = glance(source_of(f"redis://127.0.0.1:{port}"), SET, 0, 100)
    assert (found.keys, found.count) == ([], 1000)
    assert next(pages) < 100
    with fake_redis(answers(SCARD=b":9\r\n", SSCAN=page(b"7", b"metrics.a"))) as port:
        assert len(glance(source_of(f"redis://127.0.0.1:{port}"), SET, 0, 100).keys) <= 100


def test_a_name_too_long_for_a_metric_is_none():
    with fake_redis(answers(SCARD=b":2\r\n", SSCAN=page(b"0", b"x" * (LONGEST + 1), b"metrics.a"))) as port:
        assert glance(source_of(f"redis://127.0.0.1:{port}"), SET, 0, 100).keys == [b"metrics.a"]


def test_a_slow_server_is_looked_at_for_a_part_of_the_time_only():
    end = time.monotonic() + 8

    def slow(_):
        time.sleep(0.2)
        return page(b"5", b"metrics.a")

    with fake_redis(answers(SCARD=b":1000000\r\n", SSCAN=slow)) as port:
        source = source_of(f"redis://127.0.0.1:{port}", deadline=lambda: end - time.monotonic())
        found = glance(source, SET, 0, 100_000)
    assert found.cursor == 5
    assert time.monotonic() < end - 3
