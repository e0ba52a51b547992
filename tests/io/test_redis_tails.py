"""The ends of values by pipelined GETRANGE: what comes back, and what hostile servers can and cannot do to it."""

import os
import signal
import time

import numpy as np
import pytest
from rigs.redis import answers, bulk, commands, fake_redis, proxy, redis_server

from ridgeline.io.errors import AuthenticationFailed, SourceUnavailable
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.ledger import Ledger
from ridgeline.io.redis.marked import marked
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.tails import HEAD, Ranges, Refused
from ridgeline.io.secret import Secret
from ridgeline.kernels.native import loader

METRICS = 4500  # more than the slice that is read and the two that are asked for ahead of it
SIZE = 64
WRONG = "WRONGTYPE"


class Taken:
    """Takes replies in as the kernel does, one by one and in plain Python."""

    def __init__(self) -> None:
        self.values: list[bytes | str] = []
        self.calls = 0

    def __call__(self, data, at, have, done):
        self.calls += 1
        memory = data[at:have].tobytes()
        place = 0
        assert done == len(self.values)
        while (end := memory.find(b"\r\n", place)) >= 0:
            if memory.startswith(b"-WRONGTYPE", place):
                self.values.append(WRONG)
                place = end + 2
                continue
            digits = memory[place + 1 : end]
            if memory[place : place + 1] != b"$" or not digits.isdigit():
                return at + place, len(self.values), -1
            stop = end + 2 + int(digits)
            if len(memory) < stop + 2:
                break
            if memory[stop : stop + 2] != b"\r\n":
                return at + place, len(self.values), -1
            self.values.append(memory[end + 2 : stop])
            place = stop + 2
        return at + place, len(self.values), 0


def fleet(metrics: int = METRICS) -> dict[bytes, bytes]:
    return {b"metrics.m%d" % i: b"%d:" % i + os.urandom(i % 200) for i in range(metrics)}


VALUES = fleet()
KEYS = list(VALUES)


def column(keys):
    offsets = np.concatenate(([0], np.cumsum([len(key) for key in keys]))).astype(np.int64)
    return offsets, np.frombuffer(b"".join(keys), np.uint8)


def ranges(url, *, keys=KEYS, left=lambda: 60.0, **changes) -> Ranges:
    password = changes.pop("password", None)
    options = {"timeout": 20.0, "connect_budget": 20.0, **changes}
    settings = RedisSettings(url, password=None if password is None else Secret(password), **options)
    return Ranges(connect(settings, deadline=left), settings, *column(keys), left)


def whole(keys=KEYS):
    return np.arange(len(keys), dtype=np.int64)


def tails(asked=KEYS):
    return [VALUES[key][-SIZE:] for key in asked]


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        running.client.mset(VALUES)
        yield running


def test_the_kernel_frames_commands():
    keys = [b"", b"a", b"k" * 9, b"k" * 10, "metrics.\u00e9\r\n".encode(), b"\0" * 99, b"x" * 100, b"y" * 12345]
    keys += [b"abcdefghijklmnopqrstuvwxyz"[:size] for size in range(26)]
    offsets, data = column(keys)
    rows = np.array([7, 0, 1, 2, 3, 4, 5, 6, 6, *range(8, len(keys))], np.int64)
    before, after = b"*2\r\n$3\r\nGET\r\n", b"!"
    out, written = np.zeros(20_000, np.uint8), np.zeros(1, np.int64)

    def write(room):
        out[:] = 7
        arrays = (np.frombuffer(before, np.uint8), np.frombuffer(after, np.uint8))
        made = loader.entry("requests")(data, offsets, rows, *arrays, out[:room], written)
        assert (out[written[0] :] == 7).all()
        return made, out[: written[0]].tobytes()

    framed = [before + bulk(keys[row]) + after for row in rows]
    assert write(20_000) == (len(rows), b"".join(framed))
    for room in (0, 12_000, len(framed[0]), 12_500, 12_600):
        made, text = write(room)
        assert text == b"".join(framed[:made])
        assert made < len(rows)
    assert write(12_500)[0] > 0


def test_tails_and_heads_of_a_fleet(server):
    asking, taken = ranges(server.url), Taken()
    assert asking.tails(whole(), SIZE, taken) == METRICS
    assert taken.values == tails()
    heads = Taken()
    some = np.array([2400, 3, 3, 0, 77], np.int64)
    assert asking.heads(some, heads) == len(some)
    assert heads.values == [VALUES[KEYS[i]][:HEAD] for i in some]
    assert asking.bytes_read == sum(len(bulk(value)) for value in taken.values + heads.values)
    assert asking.tails(np.zeros(0, np.int64), SIZE, Taken()) == 0
    assert asking.client.ping()


@pytest.mark.parametrize("size", [1, 19, 500, 70_000])
def test_any_size_may_be_asked_for(server, size):
    taken = Taken()
    assert ranges(server.url).tails(whole(), size, taken) == METRICS
    assert taken.values == [VALUES[key][-size:] for key in KEYS]


def test_a_key_as_long_as_any_name_may_be():
    with redis_server() as server:
        keys = [b"metrics.short", b"metrics." + b"n" * 600_000, b"metrics.last"]
        for key in keys:
            server.client.set(key, key[-5:])
        taken = Taken()
        assert ranges(server.url, keys=keys).tails(whole(keys), SIZE, taken) == 3
        assert taken.values == [key[-5:] for key in keys]


def test_what_is_no_text_is_one_answer_among_others(server):
    keys = [KEYS[0], b"metrics.gone", b"metrics.list", KEYS[1], b"metrics.hash", KEYS[2]]
    server.client.rpush("metrics.list", "x")
    server.client.hset("metrics.hash", "x", "y")
    taken = Taken()
    assert ranges(server.url, keys=keys).tails(whole(keys), SIZE, taken) == len(keys)
    assert taken.values == [tails()[0], b"", WRONG, tails()[1], WRONG, tails()[2]]


@pytest.mark.parametrize("rules", ["+ping +mget", "+ping +mget +getrange"])
def test_a_user_who_may_not_is_refused_and_reads_on_by_mget(rules):
    """Without the command, or without the keys: said, and the connection is good for MGET."""
    with redis_server(acl={"reader": f"on >pw {rules} ~metrics.m1"}) as server:
        server.client.mset(VALUES)
        asking, taken = ranges(server.url, username="reader", password="pw"), Taken()
        with pytest.raises(Refused, match="does not let this user do that"):
            asking.tails(whole(), SIZE, taken)
        assert taken.values == []
        assert asking.client.mget("metrics.m1") == [VALUES[b"metrics.m1"]]


def test_rights_taken_away_on_the_way_lose_nothing():
    with redis_server(acl={"reader": "on >pw +ping +mget +getrange ~*"}) as server, proxy(server.port) as between:
        server.client.mset(VALUES)
        asking, taken = ranges(between.url, username="reader", password="pw"), Taken()

        def take(*given):
            if not taken.calls:
                server.client.acl_setuser("reader", enabled=True, commands=["-getrange"])
            return taken(*given)

        with pytest.raises(Refused):
            asking.tails(whole(), SIZE, take)
        assert taken.values == tails()[: asking.answered]
        assert asking.client.mget("metrics.m1") == [VALUES[b"metrics.m1"]]


REPLIES = {
    "renamed": (b"-ERR unknown command 'GETRANGE', with args\r\n", Refused, "unknown command"),
    "a proxy's words": (b"-Invalid request\r\n", Refused, "Invalid request"),
    "no password": (b"-NOAUTH Authentication required.\r\n", AuthenticationFailed, "refused the user"),
    "a cluster": (b"-MOVED 1 127.0.0.1:1\r\n", Exception, "Redis Cluster is not supported"),
    "no master": (b"-MASTERDOWN Link with MASTER is down\r\n", SourceUnavailable, "lost its master"),
    "busy": (b"-BUSY Redis is busy running a script\r\n", SourceUnavailable, "busy running"),
    "no RESP": (b"HTTP/1.1 400 Bad Request\r\n\r\n", SourceUnavailable, "does not speak Redis' protocol"),
    "a number": (b":1\r\n", SourceUnavailable, "does not speak Redis' protocol"),
    "a longer value": (b"$3\r\nabcdef\r\n", SourceUnavailable, "does not speak Redis' protocol"),
    "no length": (b"$x\r\n", SourceUnavailable, "does not speak Redis' protocol"),
    "a length beyond all": (b"$9999999999\r\n" + b"x" * 60_000, SourceUnavailable, "a longer reply"),
    "a line without end": (b"-ERR " + b"x" * 60_000, SourceUnavailable, "a longer reply"),
    "two for one": (bulk(b"abc", b"def"), SourceUnavailable, "more replies than there were requests"),
}


@pytest.mark.parametrize(("reply", "kind", "said"), REPLIES.values(), ids=REPLIES)
def test_what_a_server_may_answer(reply, kind, said):
    """In the place of the third answer: the two before it are kept, the end is an error of one sentence."""
    seen = []

    def getrange(words):
        seen.append(words[1])
        return reply if len(seen) % 3 == 0 else bulk(b"ok")

    with fake_redis(answers(GETRANGE=getrange)) as port:
        asking, taken = ranges(f"redis://127.0.0.1:{port}", keys=KEYS[:3]), Taken()
        with pytest.raises(kind, match=said) as failure:
            asking.tails(whole(KEYS[:3]), SIZE, taken)
    assert "\n" not in str(failure.value)
    assert taken.values[:2] == [b"ok", b"ok"]
    assert seen[:3] == KEYS[:3]


def test_a_server_that_hangs_up_at_the_question_is_taken_as_one_that_refuses_it():
    times = []

    def reply(request):
        if any(words[0] == b"GETRANGE" for words in commands(request)):
            times.append(1)
            return b""
        return answers()(request)

    with fake_redis(reply) as port:
        asking = ranges(f"redis://127.0.0.1:{port}")
        with pytest.raises(Refused, match="hangs up when it is asked for GETRANGE"):
            asking.tails(whole(), SIZE, Taken())
    assert len(times) == 2


def test_a_server_that_is_gone_is_lost_and_does_not_refuse(server):
    with redis_server() as dying:
        asking = ranges(dying.url)
        os.kill(dying.pid, signal.SIGKILL)
        with pytest.raises(SourceUnavailable):
            asking.tails(whole(), SIZE, Taken())


def test_killed_on_the_way_keeps_what_was_answered():
    rows = np.arange(20 * METRICS, dtype=np.int64) % METRICS
    with redis_server() as server, proxy(server.port) as between:
        server.client.mset(VALUES)
        asking, taken = ranges(between.url), Taken()

        def take(*given):
            if not taken.calls:
                os.kill(server.pid, signal.SIGKILL)
            between.cut_after = between.passed
            return taken(*given)

        with pytest.raises(SourceUnavailable):
            asking.tails(rows, SIZE, take)
    assert 0 < len(taken.values) == asking.answered < len(rows)
    assert taken.values == (tails() * 20)[: asking.answered]


@pytest.mark.parametrize("cut", [40, 41, 70, 1_000, 33_333, 100_000])
def test_a_connection_cut_anywhere_is_opened_once_more_and_nothing_is_lost_or_asked_twice(server, cut):
    with proxy(server.port) as between:
        asking, taken = ranges(between.url), Taken()
        between.cut_after = between.passed + cut

        def heal(passed):
            if between.cut_after is not None and passed >= between.cut_after:
                between.cut_after = None

        between.on_reply = heal
        assert asking.tails(whole(), SIZE, taken) == METRICS
    assert taken.values == tails()


def test_a_server_that_loads_its_data_is_waited_for():
    began = time.monotonic()

    def getrange(words):
        return bulk(VALUES[words[1]][-SIZE:]) if time.monotonic() > began + 1 else b"-LOADING data\r\n"

    with fake_redis(answers(GETRANGE=getrange)) as port:
        taken = Taken()
        assert ranges(f"redis://127.0.0.1:{port}", keys=KEYS[:9]).tails(whole(KEYS[:9]), SIZE, taken) == 9
        began += 1000
        with pytest.raises(SourceUnavailable, match="still loading"):
            ranges(f"redis://127.0.0.1:{port}", keys=KEYS[:9], connect_budget=0.5).tails(whole(KEYS[:9]), SIZE, Taken())
    assert taken.values == tails(KEYS[:9])


@pytest.mark.parametrize("how", ["blackhole", "drip"])
def test_the_deadline_holds_whatever_hangs(server, how):
    with proxy(server.port) as between:
        end = time.monotonic() + 1.5
        asking, taken = ranges(between.url, left=lambda: end - time.monotonic()), Taken()
        if how == "drip":
            between.drip = 0.002
        else:
            between.blackhole = True
        assert asking.tails(whole(), SIZE, taken) == len(taken.values) < METRICS
        assert time.monotonic() < end + 5
        between.blackhole, between.drip = False, 0.0
    assert taken.values == tails()[: asking.answered]


def test_a_black_hole_takes_no_longer_than_two_time_outs(server):
    with proxy(server.port) as between:
        asking = ranges(between.url, timeout=0.3, connect_budget=1.0)
        between.blackhole = True
        began = time.monotonic()
        with pytest.raises(SourceUnavailable):
            asking.tails(whole(), SIZE, Taken())
        assert time.monotonic() - began < 10


def test_bytes_that_come_one_by_one_are_the_same_bytes():
    keys = KEYS[:40]
    reply = answers(GETRANGE=lambda words: bulk(VALUES[words[1]][-SIZE:]))
    with fake_redis(reply, drip=0.0002) as port:
        taken = Taken()
        assert ranges(f"redis://127.0.0.1:{port}", keys=keys).tails(whole(keys), SIZE, taken) == len(keys)
    assert taken.values == tails(keys)


def test_no_more_than_three_slices_are_asked_for_at_once(server):
    """Two ahead of the one that is read, so that what a server has to keep for us is bounded."""
    rows = np.arange(8000, dtype=np.int64) % METRICS
    with proxy(server.port) as between:
        asked, open_at_once, taken = bytearray(), [], Taken()
        between.ask = lambda piece: asked.extend(piece) or piece

        def take(*given):
            open_at_once.append(asked.count(b"GETRANGE") - given[3])
            return taken(*given)

        assert ranges(between.url).tails(rows, SIZE, take) == len(rows)
    assert 1000 < max(open_at_once) <= 3000
    assert asked.count(b"GETRANGE") == len(rows)
    assert taken.values == tails([KEYS[row] for row in rows])


def test_what_siblings_filled_or_sorted_is_known(server):
    client = server.client
    client.hset("flux.filled_metrics", "app.filled", "{'expiry': 86400}")
    client.sadd("flux.sort_and_dedup.metrics", "app.sorted", "metrics.app.whole")
    client.sadd("mirage.filled", "app.sorted", "app.mirage")
    ledger = Ledger(RedisSettings(server.url), lambda: 20.0)
    assert marked(ledger, "metrics.") == {"app.filled", "app.sorted", "app.whole", "app.mirage"}
    client.delete("mirage.filled", "flux.filled_metrics", "flux.sort_and_dedup.metrics")
    assert marked(ledger, "metrics.") == set()
