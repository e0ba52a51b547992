"""`ridgeline load` writes what Skyline's listeners would have written, and touches nothing without being asked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import msgpack
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.redis import proxy, redis_server

from ridgeline.engine.cli.main import main
from ridgeline.io.errors import InputError
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.redis.write import encode_points, write_matrix

T0 = 1_700_000_000


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _empty(request):
    if "server" in request.fixturenames:
        request.getfixturevalue("server").client.flushall()


@pytest.fixture
def fleet(tmp_path):
    random = np.random.default_rng(5)
    names = [f"host{i:02}.cpu" for i in range(40)]
    table = pa.table(
        {
            "metric": np.repeat(names, 50),
            "timestamp": np.tile(T0 + 60 * np.arange(50), 40),
            "value": random.normal(size=2000),
        }
    )
    pq.write_table(table, tmp_path / "fleet.parquet")
    return tmp_path / "fleet.parquet"


def stored(server, name: str, namespace: str = "metrics.") -> list[tuple]:
    value = server.client.get(f"{namespace}{name}")
    unpacker = msgpack.Unpacker(use_list=False)
    unpacker.feed(value)
    return list(unpacker)


def expected(fleet, name: str) -> list[tuple]:
    rows = pq.read_table(fleet, filters=[("metric", "=", name)]).to_pydict()
    return list(zip(rows["timestamp"], rows["value"], strict=True))


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(allow_nan=False)), max_size=20), st.booleans())
def test_points_are_what_msgpack_writes(points, as_floats):
    timestamps = np.array([t for t, _ in points], np.int64)
    values = np.array([v for _, v in points], np.float64)
    wanted = b"".join(
        b"\x92" + (msgpack.packb(float(t)) if as_floats else b"\xce" + t.to_bytes(4)) + msgpack.packb(v)
        for t, v in points
    )
    assert encode_points(timestamps, values, float_timestamps=as_floats).tobytes() == wanted


@pytest.mark.parametrize(("option", "size", "kind"), [((), 15, int), (("--float-timestamps",), 19, float)])
def test_loads_a_fleet_that_reads_back(server, fleet, option, size, kind, capsys):
    assert main(["load", str(fleet), "--redis", server.url, *option]) == 0
    assert "loaded 40 metrics, 2,000 points" in capsys.readouterr().err
    assert server.client.scard("metrics.unique_metrics") == 40
    assert server.client.strlen("metrics.host07.cpu") == 50 * size
    assert stored(server, "host07.cpu") == expected(fleet, "host07.cpu")
    assert type(stored(server, "host07.cpu")[0][0]) is kind
    matrices = list(RedisSource(RedisSettings(server.url)).chunks())
    values = np.concatenate([matrix.values for matrix in matrices])
    table = pq.read_table(fleet)
    order = np.argsort(table["metric"].to_numpy(), kind="stable")
    assert (values == table["value"].to_numpy()[order]).all()


def test_existing_keys_are_not_touched_unless_asked(server, fleet, capsys):
    server.client.set("metrics.host39.cpu", b"mine")
    before = server.client.dbsize()
    assert main(["load", str(fleet), "--redis", server.url]) == 2
    said = capsys.readouterr().err
    assert "host39.cpu is in this Redis already" in said
    assert "--replace" in said
    assert server.client.dbsize() == before
    assert server.client.get("metrics.host39.cpu") == b"mine"

    assert main(["load", str(fleet), "--redis", server.url, "--replace"]) == 0
    assert stored(server, "host39.cpu") == expected(fleet, "host39.cpu")
    assert main(["load", str(fleet), "--redis", server.url, "--append"]) == 0
    assert stored(server, "host39.cpu") == expected(fleet, "host39.cpu") * 2


def write_table(path, metrics: dict[str, list[float]]):
    """A Parquet file with a point a minute of each metric."""
    rows = [(name, T0 + 60 * i, value) for name, values in metrics.items() for i, value in enumerate(values)]
    columns = zip(*rows, strict=True)
    pq.write_table(pa.table(dict(zip(("metric", "timestamp", "value"), map(list, columns), strict=True))), path)
    return path


@pytest.mark.parametrize(
    ("namespace", "name"),
    [
        ("metrics.", "unique_metrics"), ("", "unique_metrics"), ("mini.", "unique_metrics"),
        ("", "last_alert.smtp.cpu"), ("last_alert.", "http.cpu"), ("", "ridgeline.outbox"), ("analyzer.", "boring"),
        ("", "derivative_metrics"), ("", "analyzer"), ("panorama.", "alert.1.x"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", [[], ["--replace"], ["--append"]])
def test_no_metric_takes_the_place_of_another_key(server, tmp_path, capsys, namespace, name, mode):
    """The last of more metrics than one chunk holds: none of those before it is written either."""
    server.client.sadd("metrics.unique_metrics", "metrics.mine")
    source = write_table(tmp_path / "in.parquet", {f"m{i:04}": [1.0] for i in range(600)} | {name: [1.0, 2.0]})
    assert main(["load", str(source), "--redis", server.url, "--namespace", namespace, *mode]) == 2
    said = capsys.readouterr().err
    assert f"no metric can be called {name} here: the key {namespace}{name} holds" in said
    assert said.count("\n") == 1
    assert server.client.keys() == [b"metrics.unique_metrics"]
    assert server.client.smembers("metrics.unique_metrics") == {b"metrics.mine"}


def test_names_like_those_of_other_keys_are_fine(server, tmp_path):
    names = ["unique_metrics2", "my.unique_metrics", "last_alert.smtp.cpu", "analyzer.boring", "ridgeline.outbox"]
    source = write_table(tmp_path / "in.parquet", {name: [1.0] for name in names})
    assert main(["load", str(source), "--redis", server.url]) == 0
    assert server.client.smembers("metrics.unique_metrics") == {f"metrics.{name}".encode() for name in names}


def test_a_name_that_a_run_would_leave_out_is_refused(server, tmp_path, capsys):
    source = write_table(tmp_path / "in.parquet", {"a": [1.0], "x" * 70_000: [1.0]})
    assert main(["load", str(source), "--redis", server.url]) == 2
    said = capsys.readouterr().err
    assert "is longer than 65,536 bytes" in said
    assert len(said) < 300
    assert server.client.keys() == []


def test_what_cannot_be_read_is_told_and_the_rest_is_loaded(server, fleet, tmp_path, capsys):
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "a.parquet").write_bytes(fleet.read_bytes())
    (folder / "b.parquet").write_bytes(fleet.read_bytes()[:-20])
    assert main(["load", str(folder), "--redis", server.url]) == 70
    said = capsys.readouterr().err
    assert "left out, unreadable: " in said
    assert "b.parquet" in said
    assert server.client.scard("metrics.unique_metrics") == 40


def test_an_existing_key_beyond_the_first_chunk_stops_the_first_one_too(server, tmp_path):
    source = write_table(tmp_path / "in.parquet", {f"m{i:04}": [1.0] for i in range(1200)})
    server.client.set("metrics.m1199", b"mine")
    assert main(["load", str(source), "--redis", server.url]) == 2
    assert server.client.keys() == [b"metrics.m1199"]


def test_a_key_that_comes_into_being_meanwhile_is_left_as_it_is(server):
    matrix = MetricMatrix.from_table(pa.table({"metric": ["a", "b"], "timestamp": [T0, T0], "value": [1.0, 2.0]}))

    class Racing:
        """The client of a server where someone writes `b` right after it was looked for."""

        def exists(self, *keys):
            found = server.client.exists(*keys)
            if len(keys) > 1:
                server.client.setnx("metrics.b", b"theirs")
            return found

        def pipeline(self, **options):
            return server.client.pipeline(**options)

    with pytest.raises(
        InputError, match="the metric b came into this Redis just now, from elsewhere, and was left as it is"
    ):
        write_matrix(Racing(), matrix)
    assert server.client.get("metrics.b") == b"theirs"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("mode", [[], ["--replace"], ["--append"]])
def test_a_batch_that_breaks_off_leaves_nothing_behind(server, fleet, capsys, share, mode):
    """The connection is cut within the request, again and again: no metric without its name, none without its points."""
    with proxy(server.port) as between:
        assert main(["load", str(fleet), "--redis", between.url, *mode]) == 0
        whole = between.asked
        server.client.flushall()
        between.asked, between.cut_asked_after = 0, int(whole * share)
        assert main(["load", str(fleet), "--redis", between.url, *mode]) == 69
    said = capsys.readouterr().err.splitlines()[-1]
    assert "closed the connection" in said or "reset" in said or "broken pipe" in said
    wait_until_idle(server)
    assert server.client.keys() == []


def test_points_are_appended_once_even_if_the_answer_is_lost(server, tmp_path):
    source = write_table(tmp_path / "in.parquet", {"a": [1.0, 2.0]})
    assert main(["load", str(source), "--redis", server.url]) == 0
    with proxy(server.port) as between:
        between.cut_after = len(b"+PONG\r\n")
        assert main(["load", str(source), "--redis", between.url, "--append"]) == 69
    wait_until_idle(server)
    assert stored(server, "a") == [(T0, 1.0), (T0 + 60, 2.0)] * 2


def test_how_far_it_got_is_told(server, tmp_path, capsys):
    source = write_table(tmp_path / "in.parquet", {f"m{i:04}": [1.0] * 50 for i in range(1200)})
    with proxy(server.port) as between:
        between.cut_asked_after = 700 * 50 * 15  # within the second chunk of 512
        assert main(["load", str(source), "--redis", between.url]) == 69
    assert "; 512 of 1,200 metrics had been written before" in capsys.readouterr().err
    wait_until_idle(server)
    assert server.client.scard("metrics.unique_metrics") == 512
    assert server.client.dbsize() == 513


def wait_until_idle(server):
    """Return once the server has nothing more to read from others than us."""
    give_up = time.monotonic() + 120
    while server.client.info("clients")["connected_clients"] > 1:
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_other_keys_stay(server, fleet):
    server.client.set("metrics.other", b"mine")
    server.client.sadd("metrics.unique_metrics", "metrics.other")
    assert main(["load", str(fleet), "--redis", server.url]) == 0
    assert server.client.get("metrics.other") == b"mine"
    assert server.client.scard("metrics.unique_metrics") == 41


def test_namespace_and_unordered_input(server, tmp_path):
    table = pa.table({"metric": ["b", "a", "b"], "timestamp": [T0 + 60, T0, T0], "value": [2.0, 1.0, 3.0]})
    pq.write_table(table, tmp_path / "x.parquet")
    assert main(["load", str(tmp_path / "x.parquet"), "--redis", server.url, "--namespace", "mini."]) == 0
    assert stored(server, "b", "mini.") == [(T0, 3.0), (T0 + 60, 2.0)]
    assert server.client.smembers("mini.unique_metrics") == {b"mini.a", b"mini.b"}


def test_bad_input_is_one_sentence(server, tmp_path, capsys):
    (tmp_path / "bad.parquet").write_bytes(b"nothing")
    for source, url, code in (
        (tmp_path / "none.parquet", server.url, 2), (tmp_path / "bad.parquet", server.url, 2),
        (tmp_path / "bad.parquet", "http://x", 2),
    ):  # fmt: skip
        assert main(["load", str(source), "--redis", url]) == code
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert said.startswith("ridgeline: ")


def test_a_redis_that_is_not_there(fleet, capsys):
    assert main(["load", str(fleet), "--redis", "unix:///nowhere.sock"]) == 69
    assert "cannot reach Redis at unix:///nowhere.sock" in capsys.readouterr().err


def test_the_password_comes_from_the_environment(fleet, capsys, monkeypatch):
    with redis_server(password="sesame") as locked:
        monkeypatch.setenv("RIDGELINE_REDIS_PASSWORD", "hunter2")
        assert main(["load", str(fleet), "--redis", locked.url]) == 77
        assert "hunter2" not in capsys.readouterr().err
        monkeypatch.setenv("RIDGELINE_REDIS_PASSWORD", "sesame")
        assert main(["load", str(fleet), "--redis", locked.url]) == 0
        assert locked.client.scard("metrics.unique_metrics") == 40


def test_a_full_redis_says_so(fleet, capsys):
    with redis_server(arguments=("--maxmemory", "500kb")) as small:
        code = main(["load", str(fleet), "--redis", small.url])
    said = capsys.readouterr().err
    assert code == 69
    assert "is full and takes no writes (command not allowed when used memory > 'maxmemory')" in said
    assert said.count("\n") == 1


def test_progress_is_shown_on_a_terminal_only(server, fleet):
    command = [sys.executable, "-m", "ridgeline", "load", str(fleet), "--redis", server.url, "--replace"]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    assert quiet.stderr.count("\n") == 1
    assert "\r" not in quiet.stderr
    reader, writer = pty.openpty()
    done = subprocess.run(command, stderr=writer, check=True)
    os.close(writer)
    shown = os.read(reader, 65536).decode()
    os.close(reader)
    assert done.returncode == 0
    assert "40 of 40 metrics" in shown
