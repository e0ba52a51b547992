"""State that is slow, drips, hangs or is gone: every wait ends, and what waits to be recorded holds up nobody."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import redis
from rigs.redis import HOST, proxy, redis_server

from ridgeline.io.errors import SourceUnavailable
from ridgeline.io.redis.client import connect
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.state.batch import Alerted, Batch
from ridgeline.io.state.bounded import BoundedState
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.in_redis import RedisState
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.interface import StateError
from ridgeline.io.state.recorder import PATIENCE, Recorder

PAIRS = [("http", f"metric.{n}") for n in range(10)]


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + 60
    while any(t.name.startswith("ridgeline-") for t in set(threading.enumerate()) - before):
        assert time.monotonic() < until, "a thread of ours is left"
        time.sleep(0.01)


def through(between, timeout=0.5, budget=60.0):
    """State in Redis behind a proxy."""
    settings = RedisSettings(f"redis://{HOST}:{between.port}/0", timeout=timeout, retries=0)
    return BoundedState(lambda: RedisState(connect(settings)), "state in Redis", timeout=timeout, budget=budget)


def alerted(*numbers):
    batch = Batch()
    batch.alerted([Alerted("http", f"metric.{n}", 1700000000 + n, 600) for n in numbers])
    return batch


class Slow(MemoryState):
    """State in memory that takes its time, or hangs until it is abandoned."""

    def __init__(self, delay=0.0, hangs=False):
        super().__init__(time.time)
        self.delay, self.hangs, self.sizes, self.closed = delay, hangs, [], False
        self._let_go = threading.Event()

    def last_alerts(self, pairs):
        self._wait()
        return super().last_alerts(pairs)

    def apply(self, batch):
        self._wait()
        self.sizes.append(len(batch.changes))
        super().apply(batch)

    def abandon(self):
        self._let_go.set()

    def close(self):
        self.closed = True

    def _wait(self):
        if self.hangs:
            assert self._let_go.wait(20)
            raise StateError("abandoned")
        time.sleep(self.delay)


# Bounded --------------------------------------------------------------------------------------------------------------


def test_a_dripping_read_fails_soon_and_the_next_is_not_behind_it(server):
    server.client.flushall()
    with proxy(server.port) as between, contextlib.closing(through(between, timeout=2.0)) as state:
        state.record_alerts([Alerted(*pair, 5, 600) for pair in PAIRS * 10])
        between.drip = 0.01  # a time-out of the socket never comes; the reply takes 14 s
        began = time.monotonic()
        with pytest.raises(StateError, match="state in Redis did not answer within 2 s"):
            state.last_alerts(PAIRS * 10)
        assert time.monotonic() - began < 10
        assert state.size("h") == 0, "a short answer comes in time, as the long one was broken off"
        between.drip = 0.0
        assert state.last_alerts(PAIRS) == [5] * 10


def test_a_black_hole_and_a_slow_handshake_end_too(server):
    with proxy(server.port) as between, contextlib.closing(through(between)) as state:
        between.blackhole = True
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(StateError):
                state.get("k")
            assert time.monotonic() - began < 15


def test_all_waits_together_have_an_end():
    slow = Slow(0.1)
    with contextlib.closing(BoundedState(lambda: slow, "it", timeout=5, budget=1.0)) as state:
        assert state.last_alerts(PAIRS[:1]) == state.last_alerts(PAIRS[:1]) == [None]
        slow.hangs = True
        with pytest.raises(StateError, match="it did not answer within"):
            state.last_alerts(PAIRS)
        began = time.monotonic()
        with pytest.raises(StateError, match="it is too slow, and is asked no more"):
            state.last_alerts(PAIRS)
        assert time.monotonic() - began < 4


def test_what_hangs_is_abandoned_and_closing_does_not_wait_for_it():
    slow = Slow(hangs=True)
    state = BoundedState(lambda: slow, "it", timeout=0.2, budget=60)
    with pytest.raises(StateError, match="did not answer"):
        state.apply(alerted(1))
    slow.hangs = False
    assert state.last_alerts(PAIRS[:2]) == [None, None], "the thread is free again"
    state.close()
    assert slow.closed


def test_nobody_waits_for_a_state_that_cannot_be_abandoned():
    let_go = threading.Event()
    state = BoundedState(lambda: let_go.wait(20) and None, "it", timeout=0.2, budget=60)
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(StateError, match="did not answer"):
            state.get("k")
    state.close()
    assert time.monotonic() - began < 15
    let_go.set()


def test_state_that_cannot_be_opened_is_tried_again(server):
    attempts = []

    def open_state():
        attempts.append(1)
        if len(attempts) == 1:
            raise SourceUnavailable("cannot reach Redis at here")
        return MemoryState(time.time)

    with contextlib.closing(BoundedState(open_state, "it", timeout=5, budget=60)) as state:
        with pytest.raises(StateError, match="cannot reach Redis at here") as caught:
            state.get("k")
        assert caught.value.exit_code == 70
        assert state.get("k") is None
    assert len(attempts) == 2


def test_nothing_is_opened_before_the_first_use():
    BoundedState(lambda: pytest.fail("opened"), "it", timeout=1, budget=1).close()


def test_a_locked_file_is_waited_for_no_longer_than_its_time(tmp_path):
    path = tmp_path / "s.db"
    SqliteState(path).record_alerts([Alerted("http", "a", 5, 600)])
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        bounded = BoundedState(lambda: SqliteState(path, timeout=0.3), "it", timeout=5, budget=60)
        with contextlib.closing(bounded) as state:
            began = time.monotonic()
            with pytest.raises(StateError, match="locked"):
                state.record_alerts([Alerted("http", "a", 6, 600)])
            assert time.monotonic() - began < 5
            other.execute("ROLLBACK")
            state.record_alerts([Alerted("http", "a", 6, 600)])
            assert state.last_alerts([("http", "a")]) == [6]


# Recorder -------------------------------------------------------------------------------------------------------------


def test_the_recorder_holds_nobody_up_and_writes_everything(server):
    server.client.flushall()
    with proxy(server.port) as between:
        recorder = Recorder(through(between, timeout=5))
        between.delay = 0.05  # one record between two sends would be 500 x 50 ms
        began = time.monotonic()
        for n in range(500):
            recorder.put(alerted(n))
        assert time.monotonic() - began < 15
        recorder.close(20)
        assert (recorder.failures, recorder.reason) == (0, "")
    assert len(server.client.keys("last_alert.http.metric.*")) == 500
    assert server.client.get("last_alert.http.metric.499") == b"1700000499"


def test_the_recorder_joins_what_waits_and_keeps_the_order():
    let_go = threading.Event()

    class Held(Slow):
        def apply(self, batch):
            assert let_go.wait(20)
            super().apply(batch)

    slow = Held()
    recorder = Recorder(slow)
    for n in range(1300):
        recorder.put(alerted(n % 7))
    recorder.put(Batch())
    let_go.set()
    recorder.close(20)
    assert sum(slow.sizes) == 1300
    assert len(slow.sizes) <= 5
    assert max(slow.sizes) <= 500
    assert recorder.failures == 0
    assert slow.last_alerts([("http", "metric.6")]) == [1700000006]
    assert slow.closed


def test_a_batch_is_never_split():
    memory = Slow()
    recorder = Recorder(memory)
    recorder.put(alerted(*range(2000)))
    recorder.close(20)
    assert memory.sizes == [2000]


def test_the_recorder_gives_up_on_a_store_that_keeps_failing():
    asked = []

    class Broken(MemoryState):
        def apply(self, batch):
            asked.append(len(batch.changes))
            raise StateError(f"disk full {len(asked)}")

    recorder = Recorder(Broken(time.time))
    for n in range(20):
        recorder.put(alerted(n))
        while recorder._waiting.qsize():
            time.sleep(0.001)
    recorder.close(20)
    assert len(asked) == PATIENCE
    assert (recorder.failures, recorder.reason) == (20, "disk full 1")


def test_one_failure_does_not_end_recording():
    class Moody(Slow):
        def apply(self, batch):
            super().apply(batch)
            if len(self.sizes) % 2:
                raise StateError("moody")

    recorder = Recorder(Moody())
    for n in range(20):
        recorder.put(alerted(n))
        while recorder._waiting.qsize():
            time.sleep(0.001)
    recorder.close(20)
    assert PATIENCE < recorder.failures < 15, "half of them, not all after the third failure"
    assert recorder.reason == "moody"


@pytest.mark.parametrize("trouble", ["drip", "blackhole"])
def test_closing_the_recorder_ends_in_time_and_says_what_is_missing(server, trouble):
    with proxy(server.port) as between:
        recorder = Recorder(through(between, timeout=1.0))
        setattr(between, trouble, 0.05 if trouble == "drip" else True)
        recorder.put(alerted(*range(400)))
        began = time.monotonic()
        recorder.close(0.3)
        assert time.monotonic() - began < 10
        assert recorder.failures == 400
        assert "longer than 0.3 s" in recorder.reason


def test_closing_the_recorder_breaks_off_what_hangs():
    slow = Slow(hangs=True)
    recorder = Recorder(slow)
    recorder.put(alerted(1))
    recorder.close(0.1)
    assert recorder.failures == 1
    assert slow._let_go.wait(1)


def test_a_recorder_that_was_given_nothing_opens_nothing():
    recorder = Recorder(BoundedState(lambda: pytest.fail("opened"), "it", timeout=1, budget=1))
    recorder.close(1)
    assert recorder.failures == 0


# Killed ---------------------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from ridgeline.io.redis.client import connect
from ridgeline.io.state.in_redis import RedisState
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.outbox import put_outbox
state = SqliteState(Path(sys.argv[1])) if sys.argv[1][0] == "/" else RedisState(connect(sys.argv[1]))
print("ready", flush=True)
for round in range(1_000_000):
    with state.batch() as batch:
        batch.put("count", {f"f.{n}": round for n in range(50)})
        put_outbox(batch, {("http", f"m.{n}"): {"round": round} for n in range(50)})
    print(round, flush=True)
"""


@pytest.mark.parametrize("store", ["sqlite", "redis"])
@pytest.mark.parametrize("after", [0.1, *(pytest.param(after, marks=pytest.mark.long) for after in (0.02, 0.3))])
def test_kill_leaves_a_batch_whole_or_undone(server, tmp_path, store, after):
    server.client.flushall()
    path = tmp_path / "s.db"
    place = str(path) if store == "sqlite" else server.url
    with subprocess.Popen([sys.executable, "-c", WRITER, place], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        confirmed = process.stdout.read().split()
    client = redis.Redis.from_url(server.url)
    with contextlib.closing(SqliteState(path) if store == "sqlite" else RedisState(client)) as state:
        rounds = set(state.fields("count").values())
        waiting = {entry["round"] for entry in state.fields("outbox").values()}
    assert rounds == waiting
    assert len(rounds) <= 1, "one batch, one state"
    if confirmed:
        assert rounds >= {int(confirmed[-1])} or rounds == {int(confirmed[-1]) + 1}


def test_a_recorder_can_be_asked_whether_all_so_far_is_safe():
    memory = MemoryState(time.time)
    recorder = Recorder(memory)
    assert recorder.flush(1.0), "nothing was put"
    for n in range(20):
        recorder.put(alerted(n))
        if n % 3 == 0:
            assert recorder.flush(5.0)
            assert memory.last_alerts([("http", f"metric.{n}")]) == [1700000000 + n]
    recorder.close(5.0)
    assert recorder.failures == 0


def test_asking_a_recorder_that_is_slow_or_fails_ends_in_time():
    slow = Recorder(Slow(hangs=True))
    slow.put(alerted(1))
    started = time.monotonic()
    assert not slow.flush(0.05)
    assert time.monotonic() - started < 15
    slow.close(0.1)

    class Full(MemoryState):
        def apply(self, batch):
            raise StateError("full")

    failing = Recorder(Full(time.time))
    failing.put(alerted(1))
    assert not failing.flush(5.0)
    failing.close(5.0)
