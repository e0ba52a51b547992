"""State in Redis and SQLite behaves alike; alerts come at least once, and at most once more per crash."""

import contextlib
import errno
import json
import logging
import os
import shutil
import sqlite3
import tempfile
from collections import deque
from pathlib import Path

import pytest
import redis
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ridgeline.alerters import SENT, Outcome
from ridgeline.engine.alerts.pipeline import deliver
from ridgeline.engine.alerts.rule import AlertRow
from ridgeline.engine.score.anomaly import Anomaly
from ridgeline.io.redis.embedded import embedded_redis
from ridgeline.io.state.in_redis import RedisState
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.interface import StateError, open_state


class Clock:
    """Time that passes only when told to."""

    def __init__(self, now=1_700_000_000.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def server():
    with embedded_redis() as running:
        yield running


@pytest.fixture
def client(server):
    connection = redis.Redis.from_url(server.url)
    connection.flushall()
    yield connection
    connection.close()


@pytest.fixture(params=["redis", "sqlite"])
def state(request, tmp_path):
    opened = open_state(
        request.getfixturevalue("client") if request.param == "redis" else None, tmp_path / "s" / "state.db"
    )
    yield opened
    opened.close()


# Both alike -----------------------------------------------------------------------------------------------------------


def test_alerts_are_remembered_per_strategy_and_metric(state):
    assert state.last_alerts([]) == []
    assert state.last_alerts([("http", "a"), ("console", "a")]) == [None, None]
    state.record_alert("http", "a", 1700000000, 3600)
    state.record_alert("http", "b", 1700000060, 3600)
    state.record_alert("http", "a", 1700000120, 3600)
    assert state.last_alerts([("http", "b"), ("console", "a"), ("http", "a")]) == [1700000060, None, 1700000120]


def test_values_are_any_json(state):
    assert state.get("k") is None
    for value in ({"a": [1, None, 2.5, "\u00e5\ud800"]}, [], 0, "text", False):
        state.set("k", value, 60)
        assert state.get("k") == value
    with pytest.raises(ValueError, match="JSON"):
        state.set("k", float("nan"), 60)


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x00b", "\ud800", "a\udc80", "", "x" * 10_000, "'; DROP TABLE entry; --", "\u202e"]
)
def test_hostile_names_are_keys_like_others(state, name):
    state.record_alert("http", name, 5, 60)
    state.set(name, name, 60)
    assert state.last_alerts([("http", name), ("http", name + "x")]) == [5, None]
    assert state.get(name) == name


# Redis ----------------------------------------------------------------------------------------------------------------


def test_redis_keys_and_text_are_skylines(client):
    state = RedisState(client)
    state.record_alert("http", "stats.a", 1700000000, 3600)
    state.set("k", {"a": 1}, 60)
    assert client.get("last_alert.http.stats.a") == b"1700000000"
    assert 3590 < client.ttl("last_alert.http.stats.a") <= 3600
    assert json.loads(client.get("ridgeline.k")) == {"a": 1}
    assert sorted(client.keys()) == [b"last_alert.http.stats.a", b"ridgeline.k"]


@pytest.mark.parametrize(
    ("stored", "read"), [("1700000000", 1700000000), ("1700000000.0", 1700000000), (b"\x93\x01", 0)]
)
def test_what_siblings_stored_suppresses(client, stored, read):
    client.set("last_alert.http.a", stored)
    assert RedisState(client).last_alerts([("http", "a")]) == [read]


def test_redis_text_that_is_no_json_is_absent(client):
    client.set("ridgeline.k", b"\xff{")
    assert RedisState(client).get("k") is None


def test_redis_entries_expire(client):
    state = RedisState(client)
    state.record_alert("http", "a", 5, 60)
    client.pexpire("last_alert.http.a", 1)
    while client.exists("last_alert.http.a"):
        pass
    assert state.last_alerts([("http", "a")]) == [None]


def test_a_client_that_decodes_is_welcome(server, client):
    decoding = redis.Redis.from_url(server.url, decode_responses=True)
    with contextlib.closing(decoding):
        state = RedisState(decoding)
        state.record_alert("http", "a", 5, 60)
        state.set("k", [1], 60)
        assert state.last_alerts([("http", "a")]) == [5]
        assert state.get("k") == [1]


def test_redis_full_is_a_state_error(client):
    client.config_set("maxmemory", 1)
    try:
        state = RedisState(client)
        assert state.last_alerts([("http", "a")]) == [None]
        with pytest.raises(StateError, match="cannot record an alert in Redis") as caught:
            state.record_alert("http", "a", 5, 60)
        with pytest.raises(StateError):
            state.set("k", 1, 60)
        assert caught.value.exit_code == 70
    finally:
        client.config_set("maxmemory", 0)


def test_redis_gone_is_a_state_error(tmp_path):
    client = redis.Redis(unix_socket_path=str(tmp_path / "none.sock"), retry=None)
    with contextlib.closing(client):
        for use in (lambda s: s.last_alerts([("a", "b")]), lambda s: s.get("k"), lambda s: s.set("k", 1, 1)):
            with pytest.raises(StateError, match="Redis"):
                use(RedisState(client))


# SQLite ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.db"


def test_sqlite_outlives_the_process_without_being_closed(path):
    SqliteState(path).record_alert("http", "a", 5, 60)
    assert SqliteState(path).last_alerts([("http", "a")]) == [5]


def test_nothing_is_made_before_the_first_use(path):
    state = open_state(None, path)
    state.close()
    assert not path.exists()


def test_sqlite_entries_expire_and_are_forgotten(path):
    clock = Clock()
    state = SqliteState(path, clock)
    state.record_alert("http", "a", 5, 60)
    clock.now += 59.9
    assert state.last_alerts([("http", "a")]) == [5]
    clock.now += 0.1
    assert state.last_alerts([("http", "a")]) == [None]
    state.close()
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM entry").fetchone() == (0,)


@pytest.mark.parametrize(("ahead", "suppressed"), [(1, True), (3600, True), (3602, False), (10 * 365 * 86400, False)])
def test_a_clock_that_was_ahead(path, ahead, suppressed):
    """Entries from the future expire normally; those of a broken clock do not silence a metric for years."""
    SqliteState(path, Clock(1_700_000_000.0 + ahead)).record_alert("http", "a", 5, 60)
    assert SqliteState(path, Clock(1_700_000_001.0)).last_alerts([("http", "a")]) == [5 if suppressed else None]


def sound_state(path):
    with contextlib.closing(SqliteState(path)) as state:
        for n in range(300):
            state.record_alert("http", f"metric.{n}", n, 3600)
    return path.read_bytes()


def foreign(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


UNUSABLE = {
    "text": lambda path: path.write_text("not a database, " * 1000),
    "zeros": lambda path: path.write_bytes(bytes(8192)),
    "torn": lambda path: path.write_bytes(sound_state(path)[:5000]),
    "damaged": lambda path: path.write_bytes((whole := sound_state(path))[:4096] + os.urandom(4096) + whole[8192:]),
    "foreign": lambda path: foreign(path, "CREATE TABLE t (x)"),
    "foreign id": lambda path: foreign(path, "PRAGMA application_id = 7"),
    "later version": lambda path: (sound_state(path), foreign(path, "PRAGMA user_version = 99")),
    "other columns": lambda path: (sound_state(path), foreign(path, "ALTER TABLE entry ADD COLUMN x")),
    "no table": lambda path: (sound_state(path), foreign(path, "DROP TABLE entry")),
}


@pytest.mark.parametrize("spoil", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_file_is_moved_aside(path, spoil, caplog):
    spoil(path)
    spoiled = path.read_bytes()
    with contextlib.closing(SqliteState(path, Clock(1_700_000_000.0))) as state, caplog.at_level(logging.WARNING):
        assert state.last_alerts([("http", "metric.1")]) == [None]
        state.record_alert("http", "a", 5, 60)
        assert state.last_alerts([("http", "a")]) == [5]
    aside = path.with_name("state.db.corrupt-1700000000")
    assert aside.read_bytes() == spoiled
    assert "moved to" in caplog.text
    assert "may repeat" in caplog.text


@given(raw=st.binary(max_size=300))
@settings(max_examples=30)
def test_any_bytes_are_state_or_moved_aside(raw):
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(SqliteState(Path(folder) / "s.db")) as state:
        (Path(folder) / "s.db").write_bytes(raw)
        assert state.last_alerts([("http", "a")]) == [None]
        state.record_alert("http", "a", 5, 60)
        assert state.last_alerts([("http", "a")]) == [5]


def test_an_empty_file_is_a_new_state(path):
    path.touch()
    with contextlib.closing(SqliteState(path)) as state:
        state.record_alert("http", "a", 5, 60)
    assert not list(path.parent.glob("*.corrupt-*"))


def test_a_locked_or_unreadable_file_is_not_moved(path, monkeypatch):
    monkeypatch.setattr("ridgeline.io.state.in_sqlite.TIMEOUT", 0.05)
    sound_state(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        state = SqliteState(path)
        with pytest.raises(StateError, match="locked"):
            state.record_alert("http", "a", 5, 60)
        other.execute("ROLLBACK")
        state.record_alert("http", "a", 5, 60)
        state.close()
    assert not list(path.parent.glob("*.corrupt-*"))
    (path.parent / "folder").mkdir()
    with pytest.raises(StateError):
        SqliteState(path.parent / "folder").last_alerts([("http", "a")])
    with pytest.raises(StateError):
        SqliteState(path / "below").get("k")


def test_closing_never_fails(path, caplog):
    state = SqliteState(path)
    state.record_alert("http", "a", 5, 60)
    foreign(path, "DROP TABLE entry")
    state.close()
    state.close()
    assert "cannot tidy the state file" in caplog.text


def test_a_full_disk_is_a_state_error(path, monkeypatch):
    state = SqliteState(path)

    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ridgeline.io.state.in_sqlite.open_database", full)
    with pytest.raises(StateError, match="No space left"):
        state.record_alert("http", "a", 5, 60)


# At least once --------------------------------------------------------------------------------------------------------


class CrashError(BaseException):
    """The process dies here."""


class Inline:
    """Workers that send at once in this thread; waiting moves the clock."""

    def __init__(self, clock):
        self._clock, self._done = clock, deque()

    def submit(self, alerter, job):
        self._done.append((job, alerter.send(job.alert, job.deadline)))

    def wait(self, timeout):
        if not self._done:
            self._clock.now += max(timeout, 0.0) + 1e-3
        return self._done

    def stop(self):
        pass


class Endpoint:
    """An alerter whose receiver is up, down, or refuses; it notes what arrived, and when."""

    concurrency = 2

    def __init__(self, clock):
        self._clock, self.mode, self.arrived = clock, "up", []

    def send(self, alert, deadline):
        if self.mode == "down":
            return Outcome("retry", "down")
        if self.mode == "refusing":
            return Outcome("rejected", "refused")
        self.arrived.append((self._clock.now, alert.metric))
        return SENT


class Flaky:
    """State that fails, or that the process dies in, when told to."""

    def __init__(self, state):
        self._state, self.crash_before, self.fails = state, False, False
        self.failed = []

    def last_alerts(self, pairs):
        return self._state.last_alerts(pairs)

    def record_alert(self, strategy, metric, timestamp, expiration):
        if self.crash_before:
            raise CrashError
        if self.fails:
            self.failed.append(metric)
            raise StateError("disk full")
        self._state.record_alert(strategy, metric, timestamp, expiration)

    def close(self):
        self._state.close()


METRICS = ["a", "b", "c"]
EXPIRATION = 600
# Thousands of commits: in memory where that can be had, since no test here cuts the power.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class AtLeastOnce(RuleBasedStateMachine):
    """Runs every minute over anomalies that come and go, with crashes between send and record.

    Every firing that meets a receiver which is up arrives within the window; no metric arrives twice within one
    expiration more often than there were crashes or lost records for it.
    """

    @initialize()
    def start(self):
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.clock = Clock()
        self.endpoint = Endpoint(self.clock)
        self.excuses = {metric: [] for metric in METRICS}  # when a record was lost

    def teardown(self):
        shutil.rmtree(self.folder)

    @rule(
        anomalous=st.sets(st.sampled_from(METRICS), min_size=1),
        mode=st.sampled_from(["up", "up", "down", "refusing"]),
        trouble=st.sampled_from(["none", "none", "none", "crash", "full disk"]),
        pause=st.sampled_from([60, 60, 60, EXPIRATION]),
    )
    def run(self, anomalous, mode, trouble, pause):
        self.clock.now += pause
        self.endpoint.mode = mode
        started, before = self.clock.now, len(self.endpoint.arrived)
        state = Flaky(SqliteState(self.folder / "s.db", self.clock))
        state.crash_before, state.fails = trouble == "crash", trouble == "full disk"
        anomalies = [Anomaly(metric, 1.0, int(started), 6, ()) for metric in sorted(anomalous)]
        rows = [AlertRow("", ("http",), EXPIRATION)]
        crashed = False
        try:
            summary = deliver(
                anomalies,
                rows,
                {"http": self.endpoint},
                state,
                deadline=started + 30,
                clock=self.clock,
                workers=Inline(self.clock),
            )
        except CrashError:
            crashed = True
        arrived = {metric for _, metric in self.endpoint.arrived[before:]}
        if crashed:
            for metric in arrived:
                self.excuses[metric].append(started)
            return
        for metric in state.failed:
            self.excuses[metric].append(started)
        state.close()
        assert summary.sent + summary.suppressed + summary.failed == len(anomalies)
        assert summary.sent == len(arrived)
        assert summary.state_failures == len(state.failed)
        if mode == "up":
            assert summary.failed == 0
            for metric in anomalous:
                assert any(at > started - EXPIRATION for at, m in self.endpoint.arrived if m == metric), (
                    "an alert was lost"
                )

    @invariant()
    def no_more_than_one_and_the_crashes(self):
        for metric in METRICS:
            times = [at for at, m in self.endpoint.arrived if m == metric]
            for first in times:
                window = [at for at in times if first <= at < first + EXPIRATION]
                lost = [at for at in self.excuses[metric] if first - 30 <= at < first + EXPIRATION]
                assert len(window) <= 1 + len(lost), "an alert was repeated without cause"


def test_alerts_come_at_least_once():
    run_state_machine_as_test(AtLeastOnce, settings=settings(max_examples=50, stateful_step_count=20, deadline=None))


@pytest.mark.long
def test_alerts_come_at_least_once_for_long():
    run_state_machine_as_test(AtLeastOnce, settings=settings(max_examples=2000, stateful_step_count=50, deadline=None))
