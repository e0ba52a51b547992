"""State in Redis, SQLite and memory behaves alike; alerts come at least once, and at most once more per crash."""

import contextlib
import errno
import json
import logging
import math
import multiprocessing
import os
import sqlite3
import tempfile
import threading
import time
from pathlib import Path

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from rigs.redis import fake_redis

from ridgeline.io.disk.lock import lock_in_turn
from ridgeline.io.redis.embedded import embedded_redis
from ridgeline.io.state.batch import Alerted
from ridgeline.io.state.bounded import BoundedState
from ridgeline.io.state.in_memory import MemoryState
from ridgeline.io.state.in_redis import RedisState
from ridgeline.io.state.in_sqlite import SqliteState
from ridgeline.io.state.interface import StateError
from ridgeline.io.state.outbox import drop_outbox, outbox_size, pick_outbox, put_outbox, read_outbox

# Thousands of commits: in memory where that can be had, since no test here cuts the power.
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


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


OPENERS = {
    "redis": lambda request, _: RedisState(request.getfixturevalue("client")),
    "sqlite": lambda _, folder: SqliteState(folder / "s" / "state.db"),
    "memory": lambda _request, _folder: MemoryState(time.time),
    "bounded": lambda _, folder: BoundedState(lambda: SqliteState(folder / "b.db"), "b.db", timeout=20, budget=60),
}


@pytest.fixture(params=OPENERS)
def state(request, tmp_path):
    with contextlib.closing(OPENERS[request.param](request, tmp_path)) as opened:
        yield opened


def remember(state, *alerts):
    state.record_alerts([Alerted(*alert) for alert in alerts])


# All alike ------------------------------------------------------------------------------------------------------------


def test_how_long_an_alert_is_remembered(state):
    assert state.alert_ttls([]) == []
    remember(state, ("http", "a\nb", 5, 100), ("http", "b", 5, 7))
    left = state.alert_ttls([("http", "b"), ("http", "a\nb"), ("syslog", "b")])
    assert 0 < left[0] <= 7
    assert 90 < left[1] <= 100
    assert left[2] == 0


def test_an_alert_of_a_sibling_may_be_remembered_for_ever(client):
    client.set("last_alert.http.a", "5")
    assert RedisState(client).alert_ttls([("http", "a")]) == [math.inf]


def test_alerts_are_remembered_per_strategy_and_metric(state):
    assert state.last_alerts([]) == []
    assert state.last_alerts([("http", "a"), ("console", "a")]) == [None, None]
    remember(state, ("http", "a", 1700000000, 3600), ("http", "b", 1700000060, 3600))
    remember(state, ("http", "a", 1700000120, 3600))
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
    remember(state, ("http", name, 5, 60))
    state.set(name, name, 60)
    assert state.last_alerts([("http", name), ("http", name + "x")]) == [5, None]
    assert state.get(name) == name


def test_a_value_without_an_end_is_refused(state):
    for ttl in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="time to live"):
            state.set("k", 1, ttl)
        with pytest.raises(ValueError, match="time to live"):
            remember(state, ("http", "a", 5, ttl))
    assert state.get("k") is None


def test_many_values_at_once(state):
    with state.batch() as batch:
        for n in range(2500):
            batch.set(f"k.{n}", n, 60)
        batch.delete("k.7", "k.none")
    keys = [f"k.{n}" for n in range(2501)]
    assert state.get_many(keys) == [None if n in {7, 2500} else n for n in range(2501)]
    assert state.get_many([]) == []


def test_sets(state):
    assert state.members("s") == set()
    with state.batch() as batch:
        batch.add("s", [f"m.{n}" for n in range(2500)])
        batch.add("s", ["m.1", "\u00e5"])
        batch.add("s", [])
        batch.remove("s", [f"m.{n}" for n in range(1200)])
        batch.remove("s", ["m.none"])
        batch.remove("other", ["m.2400"])
    assert state.members("s") == {"\u00e5", *(f"m.{n}" for n in range(1200, 2500))}
    assert 10 <= len(state.members("s", 10)) <= 1301
    with state.batch() as batch:
        batch.delete("s")
    assert state.members("s") == set()


def test_hashes(state):
    assert (state.fields("h"), state.size("h"), state.pick("h", ["a"])) == ({}, 0, [None])
    with state.batch() as batch:
        batch.put("h", {f"f.{n}": {"n": n} for n in range(2500)})
        batch.put("h", {"f.1": [1.5, None, "\u00e5"]})
        batch.put("h", {})
        batch.drop("h", [f"f.{n}" for n in range(10, 1200)])
        batch.drop("h", ["f.none"])
    assert state.size("h") == 1310
    found = state.fields("h")
    assert found.pop("f.1") == [1.5, None, "\u00e5"]
    assert found == {f"f.{n}": {"n": n} for n in (0, *range(2, 10), *range(1200, 2500))}
    assert state.pick("h", ["f.2", "f.10", "f.1"]) == [{"n": 2}, None, [1.5, None, "\u00e5"]]
    assert 10 <= len(state.fields("h", 10)) <= 1310
    with pytest.raises(ValueError, match="JSON"):
        put_twice(state)
    assert state.pick("h", ["f.2"]) == [{"n": 2}], "a batch that fails in the making changes nothing"


def put_twice(state):
    with state.batch() as batch:
        batch.put("h", {"f.2": 0})
        batch.put("h", {"f.3": object()})


def test_the_outbox_has_no_end_and_is_kept_by_pair(state):
    first, second, third = ("http", "a.b"), ("http.a", "b"), ("http", '"], x\n')
    with state.batch() as batch:
        put_outbox(batch, {first: {"n": 1}, second: {"n": 2}, third: {"n": 3}})
    with state.batch() as batch:
        put_outbox(batch, {first: {"n": 4}})
    assert read_outbox(state) == {first: {"n": 4}, second: {"n": 2}, third: {"n": 3}}
    assert read_outbox(state, "http") == {first: {"n": 4}, third: {"n": 3}}
    assert pick_outbox(state, [third, ("http", "b"), second]) == [{"n": 3}, None, {"n": 2}]
    assert outbox_size(state) == 3
    with state.batch() as batch:  # sent: recorded and dropped in one
        batch.alerted([Alerted(*first, 5, 60)])
        drop_outbox(batch, [first, ("http", "none")])
    assert read_outbox(state) == {second: {"n": 2}, third: {"n": 3}}
    assert state.last_alerts([first]) == [5]


def test_a_damaged_outbox_is_told(state, caplog):
    with state.batch() as batch:
        batch.put("outbox", {'["http","a"]': "no entry", "nonsense\n": {}, '["http"]': {}, '["http",7]': {}, "7": {}})
    with caplog.at_level(logging.WARNING):
        assert read_outbox(state) == {("http", "a"): {}}
    assert len(caplog.records) == 4
    assert "nonsense\\n" in caplog.text
    assert pick_outbox(state, [("http", "a")]) == [None]


KEYS = st.sampled_from(["a", "b", "\u00e5"])
NAMES = st.lists(st.sampled_from(["x", "y", "z", "\n", "\ud800"]), max_size=4)
VALUES = st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2))
CHANGES = st.one_of(
    st.tuples(st.just("set"), KEYS.map("v.".__add__), VALUES, st.integers(1, 100)),
    st.tuples(st.just("delete"), KEYS.map("v.".__add__) | KEYS.map("s.".__add__) | KEYS.map("h.".__add__)),
    st.tuples(st.just("add"), KEYS.map("s.".__add__), NAMES),
    st.tuples(st.just("remove"), KEYS.map("s.".__add__), NAMES),
    st.tuples(st.just("put"), KEYS.map("h.".__add__), st.dictionaries(st.sampled_from(["x", "y", "\n"]), VALUES)),
    st.tuples(st.just("drop"), KEYS.map("h.".__add__), NAMES),
    st.tuples(st.just("alerted"), st.lists(st.builds(Alerted, KEYS, KEYS, st.integers(0, 9), st.integers(1, 99)))),
)


@given(batches=st.lists(st.lists(CHANGES, max_size=6), max_size=4))
def test_all_stores_agree(server, batches):
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as folder,
        contextlib.closing(SqliteState(Path(folder) / "s.db")) as sqlite,
        contextlib.closing(RedisState(redis.Redis.from_url(server.url, db=1))) as in_redis,
    ):
        in_redis._client.flushdb()
        stores = [MemoryState(time.time), sqlite, in_redis]
        for changes in batches:
            for store in stores:
                with store.batch() as batch:
                    for name, *arguments in changes:
                        getattr(batch, name)(*arguments)
        keys = ["a", "b", "\u00e5"]
        seen = [
            (
                store.last_alerts([(s, m) for s in keys for m in keys]),
                store.get_many([f"v.{key}" for key in keys]),
                [store.members(f"s.{key}") for key in keys],
                [(store.fields(f"h.{key}"), store.size(f"h.{key}")) for key in keys],
                [store.pick(f"h.{key}", ["x", "z", "\n"]) for key in keys],
            )
            for store in stores
        ]
        assert seen[0] == seen[1] == seen[2]


# Redis ----------------------------------------------------------------------------------------------------------------


def test_redis_keys_and_text_are_skylines(client):
    state = RedisState(client)
    remember(state, ("http", "stats.a", 1700000000, 3600))
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
    remember(state, ("http", "a", 5, 60))
    client.pexpire("last_alert.http.a", 1)
    while client.exists("last_alert.http.a"):
        pass
    assert state.last_alerts([("http", "a")]) == [None]


def test_values_in_redis_expire_in_whole_seconds_and_sets_and_hashes_do_not(client):
    state = RedisState(client)
    with state.batch() as batch:
        batch.set("k", 1, 59.2)
        batch.add("s", ["m"])
        batch.put("h", {"f": 1})
    assert 59_000 < client.pttl("ridgeline.k") <= 60_000
    assert (client.ttl("ridgeline.s"), client.ttl("ridgeline.h")) == (-1, -1)
    assert client.hgetall("ridgeline.h") == {b"f": b"1"}


def test_a_batch_is_one_transaction_in_one_round_trip(client):
    state = RedisState(client)
    with client.monitor() as monitor:
        state.size("h")
        with state.batch() as batch:
            batch.alerted([Alerted("http", f"m.{n}", n, 60) for n in range(500)])
            batch.put("h", {"f": 1})
        seen = []
        while not seen or seen[-1] != "EXEC":
            seen.append(monitor.next_command()["command"].partition(" ")[0])
    assert seen[seen.index("HLEN") + 1 :] == ["MULTI", *["SET"] * 500, "HSET", "EXEC"]


def test_a_key_of_another_type_is_a_state_error(client):
    client.set("ridgeline.h", "x")
    client.sadd("ridgeline.k", "x")
    state = RedisState(client)
    for use in (
        lambda: state.fields("h"),
        lambda: state.members("h"),
        lambda: state.pick("h", ["a"]),
        lambda: state.size("h"),
        lambda: state.record_alerts([Alerted("http", "a", 5, 60)]) or Batching(state).put("h", {"f": 1}),
    ):
        with pytest.raises(StateError, match="WRONGTYPE"):
            use()
    assert state.get("k") is None


class Batching:
    """One change as a batch of its own."""

    def __init__(self, state):
        self._state = state

    def __getattr__(self, name):
        def change(*arguments):
            with self._state.batch() as batch:
                getattr(batch, name)(*arguments)

        return change


NONSENSE = [b":5\r\n", b"*0\r\n", b"*1\r\n:3\r\n", b"$1\r\nx\r\n", b"*2\r\n$1\r\nx\r\n*0\r\n", b"*-1\r\n", b"+OK\r\n"]


@pytest.mark.parametrize("answer", NONSENSE)
@pytest.mark.parametrize("use", ["last_alerts", "get", "members", "fields", "pick", "size", "apply"])
def test_a_nonsensical_answer_is_no_bug_of_ours(answer, use):
    uses = {
        "last_alerts": lambda state: state.last_alerts([("http", "a"), ("http", "b"), ("http", "c")]),
        "get": lambda state: state.get_many(["a", "b", "c"]),
        "members": lambda state: state.members("s", 10),
        "fields": lambda state: state.fields("h", 10),
        "pick": lambda state: state.pick("h", ["a", "b", "c"]),
        "size": lambda state: state.size("h"),
        "apply": lambda state: state.set("k", 1, 60),
    }
    with fake_redis(lambda _: answer) as port:
        client = redis.Redis(port=port, retry=None, protocol=2, driver_info=None, socket_timeout=0.2)
        with contextlib.closing(RedisState(client)) as state, contextlib.suppress(StateError):
            found = uses[use](state)
            assert not isinstance(found, list) or len(found) == 3


def test_a_client_that_decodes_is_welcome(server, client):
    decoding = redis.Redis.from_url(server.url, decode_responses=True)
    with contextlib.closing(decoding):
        state = RedisState(decoding)
        remember(state, ("http", "a", 5, 60))
        state.set("k", [1], 60)
        assert state.last_alerts([("http", "a")]) == [5]
        assert state.get("k") == [1]


def test_redis_full_is_a_state_error(client):
    client.config_set("maxmemory", 1)
    try:
        state = RedisState(client)
        assert state.last_alerts([("http", "a")]) == [None]
        with pytest.raises(StateError, match="cannot write state to Redis") as caught:
            remember(state, ("http", "a", 5, 60))
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


def test_of_several_values_of_one_key_the_last_stays(state):
    remember(state, ("http", "b", 1, 60), ("http", "a", 2, 60), ("http", "b", 3, 60))
    assert state.last_alerts([("http", "a"), ("http", "b")]) == [2, 3]


def test_sqlite_outlives_the_process_without_being_closed(path):
    remember(SqliteState(path), ("http", "a", 5, 60))
    assert SqliteState(path).last_alerts([("http", "a")]) == [5]


def test_nothing_is_made_before_the_first_use(path):
    SqliteState(path).close()
    assert not path.exists()


def test_memory_forgets_as_the_others_do():
    clock = Clock()
    state = MemoryState(clock)
    state.set("k", 1, 60)
    remember(state, ("http", "a", 5, 60))
    clock.now += 59.9
    assert (state.get("k"), state.last_alerts([("http", "a")])) == (1, [5])
    clock.now += 0.1
    assert (state.get("k"), state.last_alerts([("http", "a")])) == (None, [None])


def test_sqlite_entries_expire_and_are_forgotten(path):
    clock = Clock()
    state = SqliteState(path, clock)
    remember(state, ("http", "a", 5, 60))
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
    remember(SqliteState(path, Clock(1_700_000_000.0 + ahead)), ("http", "a", 5, 60))
    assert SqliteState(path, Clock(1_700_000_001.0)).last_alerts([("http", "a")]) == [5 if suppressed else None]


def sound_state(path):
    with contextlib.closing(SqliteState(path)) as state:
        remember(state, *(("http", f"metric.{n}", n, 3600) for n in range(300)))
    return path.read_bytes()


def foreign(path, *statements):
    with contextlib.closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def older(path):
    """A state file as an earlier version left it."""
    foreign(
        path,
        "CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT, expires REAL, ttl REAL) WITHOUT ROWID",
        "PRAGMA application_id = 0x52494447",
        "PRAGMA user_version = 1",
    )


UNUSABLE = {
    "text": lambda path: path.write_text("not a database, " * 1000),
    "zeros": lambda path: path.write_bytes(bytes(8192)),
    "torn": lambda path: path.write_bytes(sound_state(path)[:5000]),
    "damaged": lambda path: path.write_bytes((whole := sound_state(path))[:4096] + os.urandom(4096) + whole[8192:]),
    "foreign": lambda path: foreign(path, "CREATE TABLE t (x)"),
    "foreign id": lambda path: foreign(path, "PRAGMA application_id = 7"),
    "later version": lambda path: (sound_state(path), foreign(path, "PRAGMA user_version = 99")),
    "earlier version": older,
    "earlier number": lambda path: (sound_state(path), foreign(path, "PRAGMA user_version = 1")),
    "other columns": lambda path: (sound_state(path), foreign(path, "ALTER TABLE entry ADD COLUMN x")),
    "no table": lambda path: (sound_state(path), foreign(path, "DROP TABLE entry")),
}


@pytest.mark.parametrize("spoil", UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_file_is_moved_aside(path, spoil, caplog):
    spoil(path)
    spoiled = path.read_bytes()
    with contextlib.closing(SqliteState(path, Clock(1_700_000_000.0))) as state, caplog.at_level(logging.WARNING):
        assert state.last_alerts([("http", "metric.1")]) == [None]
        remember(state, ("http", "a", 5, 60))
        assert state.last_alerts([("http", "a")]) == [5]
    aside = path.with_name("state.db.corrupt-1700000000")
    assert aside.read_bytes() == spoiled
    assert "moved to" in caplog.text
    assert "may repeat" in caplog.text


@given(raw=st.binary(max_size=300))
@examples(15)
def test_any_bytes_are_state_or_moved_aside(raw):
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(SqliteState(Path(folder) / "s.db")) as state:
        (Path(folder) / "s.db").write_bytes(raw)
        assert state.last_alerts([("http", "a")]) == [None]
        remember(state, ("http", "a", 5, 60))
        assert state.last_alerts([("http", "a")]) == [5]


def test_the_file_is_its_owners_alone(path):
    old = os.umask(0)
    try:
        with contextlib.closing(SqliteState(path)) as state:
            remember(state, ("http", "a", 5, 60))
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
            assert modes == dict.fromkeys(("state.db", "state.db-wal", "state.db-shm", "state.db.lock"), 0o600)
        path.chmod(0o644)
        with contextlib.closing(SqliteState(path)) as state:
            assert state.last_alerts([("http", "a")]) == [5]
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(old)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "dangling link"])
def test_what_is_no_regular_file_is_refused_and_left_alone(path, kind):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/null" if kind == "device" else path.with_name("nowhere"))
    before = path.lstat().st_mode
    with contextlib.closing(SqliteState(path)) as state, pytest.raises(StateError, match=r"state\.db"):
        state.get("k")
    assert path.lstat().st_mode == before
    assert [file.name for file in path.parent.iterdir()] == ["state.db"]


def test_two_threads_that_meet_one_damaged_file_move_it_once(path):
    path.write_text("not a database, " * 1000)
    states = [SqliteState(path, Clock()) for _ in range(4)]
    threads = [
        threading.Thread(target=remember, args=(state, ("http", str(n), n, 60))) for n, state in enumerate(states)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert states[0].last_alerts([("http", str(n)) for n in range(4)]) == [0, 1, 2, 3]
    assert len(list(path.parent.glob("*.corrupt-*"))) == 1
    for state in states:
        state.close()


def add_and_close(path, barrier, name):
    barrier.wait(30)
    with contextlib.closing(SqliteState(path, Clock(), timeout=30)) as state:
        remember(state, ("http", str(name), name, 60))


@pytest.mark.parametrize("attempts", [3, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("damaged", [False, True], ids=["absent", "damaged"])
def test_processes_that_meet_one_file_lose_nothing(tmp_path, damaged, attempts):
    """Half-made by one it looks foreign to the next, and of two that move a damaged one aside one would take the new."""
    context = multiprocessing.get_context("fork")
    for attempt in range(attempts):
        path = tmp_path / str(attempt) / "state.db"
        path.parent.mkdir()
        if damaged:
            path.write_text("not a database, " * 1000)
        barrier = context.Barrier(4)
        processes = [context.Process(target=add_and_close, args=(path, barrier, name)) for name in range(4)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 4
        with contextlib.closing(SqliteState(path, Clock())) as state:
            assert state.last_alerts([("http", str(name)) for name in range(4)]) == [0, 1, 2, 3]
        assert len(list(path.parent.glob("*.corrupt-*"))) == damaged


def test_one_who_never_lets_go_of_the_file_is_not_waited_for(path):
    with (
        lock_in_turn(path.with_name("state.db.lock"), 1),
        contextlib.closing(SqliteState(path, timeout=0.05)) as state,
        pytest.raises(StateError, match="does not let go"),
    ):
        state.get("k")


def test_files_moved_aside_in_one_second_are_all_kept(path):
    for content in ("first", "second", "third"):
        path.write_text(content * 2000)
        with contextlib.closing(SqliteState(path, Clock())) as state:
            assert state.last_alerts([("http", "a")]) == [None]
        path.unlink()
    assert sorted(file.read_text()[:5] for file in path.parent.glob("*.corrupt-*")) == ["first", "secon", "third"]


def test_rows_of_nonsense_are_absent(path):
    with contextlib.closing(SqliteState(path)) as state:
        state.set("k", 1, 60)
    foreign(
        path,
        "INSERT INTO entry VALUES ('last_alert.http.a', x'ff00', 9e99, 9e99)",
        "INSERT INTO entry VALUES ('last_alert.http.b', 'x', 'never', 'long')",
        "INSERT INTO entry VALUES ('ridgeline.v', x'7b', 9e9, 9e9)",
        "INSERT INTO entry VALUES ('ridgeline.deep', '" + "[" * 100_000 + "', 9e9, 9e9)",
        "INSERT INTO field VALUES ('ridgeline.h', x'ff', x'00ff')",
        "INSERT INTO field VALUES ('ridgeline.h', 'nan', 'NaN')",
    )
    with contextlib.closing(SqliteState(path)) as state:
        assert state.last_alerts([("http", "a"), ("http", "b")]) == [0, None]
        assert state.get_many(["v", "deep", "k"]) == [None, None, 1]
        assert set(state.fields("h").values()) == {None}


def test_an_empty_file_is_a_new_state(path):
    path.touch()
    with contextlib.closing(SqliteState(path)) as state:
        remember(state, ("http", "a", 5, 60))
    assert not list(path.parent.glob("*.corrupt-*"))


def test_a_locked_or_unreadable_file_is_not_moved(path):
    sound_state(path)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        state = SqliteState(path, timeout=0.05)
        with pytest.raises(StateError, match="locked"):
            remember(state, ("http", "a", 5, 60))
        other.execute("ROLLBACK")
        remember(state, ("http", "a", 5, 60))
        state.close()
    assert not list(path.parent.glob("*.corrupt-*"))
    (path.parent / "folder").mkdir()
    with pytest.raises(StateError):
        SqliteState(path.parent / "folder").last_alerts([("http", "a")])
    with pytest.raises(StateError):
        SqliteState(path / "below").get("k")


class Interrupted:
    """A connection behind whose `statement` a signal's exception comes, once."""

    def __init__(self, database, statement):
        self._database, self._statement = database, statement

    def __getattr__(self, name):
        return getattr(self._database, name)

    def execute(self, sql, *values):
        return self._then_strike(sql, self._database.execute(sql, *values))

    def executemany(self, sql, values):
        return self._then_strike(sql, self._database.executemany(sql, values))

    def _then_strike(self, sql, found):
        if self._statement and sql.startswith(self._statement):
            self._statement = None
            raise SystemExit(143)
        return found


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "COMMIT"])
def test_a_signal_amid_a_transaction_leaves_state_in_use(path, statement):
    with contextlib.closing(SqliteState(path)) as state:
        remember(state, ("http", "a", 4, 60))
        state._open = Interrupted(state._open, statement)
        with pytest.raises(SystemExit):
            remember(state, ("http", "a", 5, 60), ("http", "b", 5, 60))
        assert state.last_alerts([("http", "a"), ("http", "b")]) == ([5, 5] if statement == "COMMIT" else [4, None])
        remember(state, ("http", "b", 6, 60))
        assert state.last_alerts([("http", "b")]) == [6]


def test_closing_never_fails(path, caplog):
    state = SqliteState(path)
    remember(state, ("http", "a", 5, 60))
    foreign(path, "DROP TABLE entry")
    state.close()
    state.close()
    assert "cannot tidy the state file" in caplog.text


def test_a_full_file_changes_nothing_and_is_a_state_error(path):
    with contextlib.closing(SqliteState(path)) as state:
        remember(state, ("http", "a", 5, 60))
        pages = state._open.execute("PRAGMA page_count").fetchone()[0]
        state._open.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StateError, match="full"):
            remember(state, ("http", "a", 6, 60), ("http", "x" * 1_000_000, 6, 60))
        assert state.last_alerts([("http", "a")]) == [5]
        state._open.execute(f"PRAGMA max_page_count = {pages + 1000}")
        remember(state, ("http", "a", 7, 60))
        assert state.last_alerts([("http", "a")]) == [7]


def test_a_full_disk_is_a_state_error(path, monkeypatch):
    state = SqliteState(path)

    def full(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("ridgeline.io.state.in_sqlite.open_database", full)
    with pytest.raises(StateError, match="No space left"):
        remember(state, ("http", "a", 5, 60))


# Operators of Skyline ---------------------------------------------------------------------------------------------------


def test_pauses_and_mutes_that_operators_wrote(client):
    client.set("alert.paused.http.a", "1700000500")
    client.set("alert.paused.http.b", "until noon")
    client.hset("metrics_manager.mute_alerts_on", mapping={"c": "1700000600.5", "a": "1700000100", "d": "nan"})
    state = RedisState(client)
    pairs = [("http", "a"), ("console", "a"), ("http", "b"), ("console", "c"), ("http", "d"), ("http", "e")]
    assert state.operators(pairs) == [1700000500, 1700000100, math.inf, 1700000600.5, math.inf, 0]
    assert state.operators([]) == []


def test_a_user_without_rights_to_operators_keys_is_told_of_none(server):
    admin = redis.Redis.from_url(server.url)
    admin.execute_command("ACL", "SETUSER", "narrow", "on", ">pw", "~ridgeline.*", "~last_alert.*", "+@all")
    narrow = redis.Redis.from_url(server.url, username="narrow", password="pw")
    state = RedisState(narrow)
    assert state.operators([("http", "a")]) == [0.0]
    assert state.last_alerts([("http", "a")]) == [None]
    narrow.close()
    admin.close()


def test_only_redis_has_operators(tmp_path):
    with contextlib.closing(SqliteState(tmp_path / "s.db")) as sqlite:
        for state in (sqlite, MemoryState(time.time)):
            assert state.operators([("http", "a"), ("http", "b")]) == [0.0, 0.0]
    bounded = BoundedState(lambda: MemoryState(time.time), "state", timeout=1, budget=1)
    assert bounded.operators([("http", "a")]) == [0.0]
    bounded.close()
