"""The deadline holds whatever hangs, and the process is gone 3 seconds after it. Each run is a process of its own."""

import contextlib
import json
import os
import signal
import sqlite3
import time

import pyarrow.parquet as pq
import pytest
from rigs.http import Answer, http_server
from rigs.redis import fake_redis, free_port, proxy, redis_server
from rigs.runs import FLEET, TABLE, load, received, run_json, start, write_config
from rigs.waiting import until

DEADLINE = 3
GONE = DEADLINE + 3
SLACK = 30  # seconds: starting Python and importing on a busy machine


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        load(running.client)
        yield running


def forget_alerts(server):
    for key in [*server.client.scan_iter("last_alert.*"), *server.client.scan_iter("ridgeline.*")]:
        server.client.delete(key)


def ended(config, *arguments, env=None, seconds=GONE):
    """(exit code, standard output, standard error) of a run that must be gone by then."""
    began = time.monotonic()
    with start(config, *arguments, env=env or {}) as process:
        try:
            out, err = process.communicate(timeout=120)
        except BaseException:
            process.kill()
            raise
    assert time.monotonic() - began < seconds + SLACK
    return process.returncode, out, err


def test_a_listing_that_hangs(server, tmp_path):
    with proxy(server.port) as between:
        between.on_reply = lambda _: setattr(between, "blackhole", True)  # after the first answer, to the greeting
        code, out, err = ended(write_config(tmp_path, between.url, alerts=(), deadline=DEADLINE))
    assert (code, out) == (69, "")
    assert len(err.splitlines()) == 1


def test_a_listing_without_end(tmp_path):
    def reply(request):
        if b"SSCAN" not in request.upper():
            return b"+PONG\r\n" if b"PING" in request.upper() else b"+OK\r\n"
        time.sleep(0.05)
        return b"*2\r\n$1\r\n7\r\n*1\r\n$9\r\nmetrics.a\r\n"

    with fake_redis(reply) as port:
        config = write_config(tmp_path, f"redis://127.0.0.1:{port}/0", alerts=(), deadline=DEADLINE)
        code, out, err = ended(config)
    assert (code, out) == (69, "")
    assert len(err.splitlines()) == 1


def test_a_pipe_in_the_place_of_a_file(tmp_path):
    os.mkfifo(tmp_path / "fleet.parquet")
    code, out, err = ended(write_config(tmp_path, tmp_path / "fleet.parquet", alerts=(), deadline=DEADLINE))
    assert code in {2, 69}
    assert out == ""
    assert len(err.splitlines()) == 1


def test_an_algorithm_that_never_returns_costs_what_comes_after_it_and_no_alert_before(server, tmp_path):
    (tmp_path / "endless_for_run.py").write_text(
        "import ridgeline\n\n"
        '@ridgeline.algorithm(summary="Never comes back from a series that ends in a seven.", min_points=2)\n'
        "def endless(t, x, as_of, scratch):\n"
        "    while x[-1] == 7.0:\n        scratch[0] += 1.0\n"
        "    return 2.0\n"
    )
    name = f"metrics.{sorted(FLEET.metrics)[60]}"
    whole = server.client.get(name)
    server.client.set(name, whole[:-9] + b"\xcb" + b"\x40\x1c\0\0\0\0\0\0")  # the newest value, a float of 7
    extra = '[analysis]\nmodules = ["endless_for_run"]\nalgorithms = ["endless"]\nconsensus = 1\n'
    with http_server() as http:
        try:
            for deadline in (6, 12, 24, 48):  # the first that leaves time to compile it, however busy the machine is
                http.requests.clear()
                forget_alerts(server)
                config = write_config(tmp_path, server.url, http=http, deadline=deadline, extra=extra)
                code, out, err = ended(config, "--json", env={"PYTHONPATH": str(tmp_path)}, seconds=deadline + 3)
                found = json.loads(out)
                if found["outcomes"].get("analysed", 0) >= 50:
                    break
        finally:
            server.client.set(name, whole)
        assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
    assert code == found["exit"] == 70
    assert found["outcomes"]["analysed"] >= 50
    assert found["outcomes"]["shed"] == found["reasons"]["deadline"] >= 10
    assert found["metrics"] == len(FLEET.metrics)
    assert "its deadline came" in err


@pytest.mark.parametrize("trouble", ["refuses", "hangs", pytest.param("drips", marks=pytest.mark.long)])
def test_an_endpoint_that(server, tmp_path, trouble):
    answer = {"refuses": Answer(), "hangs": Answer(silent=True), "drips": Answer(drip=0.5)}[trouble]
    with http_server(answer) as http:
        config = write_config(tmp_path, server.url, http=http, deadline=DEADLINE)
        if trouble == "refuses":
            config.write_text(config.read_text().replace(http.url, f"http://127.0.0.1:{free_port()}/"))
        code, out, _ = ended(config, "--json")
    found = json.loads(out)
    assert code == found["exit"] == 70
    assert found["alerts"]["sent"] == 0
    assert (tmp_path / "out" / "anomalies.json").exists()


def test_a_signal_reaches_a_run_whose_listing_hangs(server, tmp_path):
    with proxy(server.port) as between:
        between.on_reply = lambda passed: setattr(between, "blackhole", passed > 5)
        config = write_config(tmp_path, between.url, alerts=(), deadline=50)
        config.write_text(config.read_text().replace("[run]", "timeout = 40\nconnect_budget = 40\n[run]"))
        with start(config) as process:
            until(lambda: between.blackhole)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 20
    assert (process.returncode, out, err) == (143, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_what_was_sent_when_a_signal_came_is_not_sent_again(server, tmp_path, capsys, number):
    forget_alerts(server)
    with http_server(Answer(delay=0.3)) as http:
        config = write_config(tmp_path, server.url, http=http)
        config.write_text(config.read_text().replace("expiration = 3600", "expiration = 3600\ngroup = false"))
        with start(config) as process:
            until(lambda: len(http.requests) >= 3)
            process.send_signal(number)
            process.communicate(timeout=60)
        assert process.returncode == 128 + number
        first = set(received(http))
        http.answers[:] = [Answer()]
        _, found, _ = run_json(capsys, config)
        every = received(http)
    assert set(every) == {row["metric"] for row in found["anomalies"]}
    assert len(every) == len(set(every)), "what was in flight was recorded"
    assert found["alerts"]["suppressed"] == len(first)


def silent_bucket(path, http):
    """A configuration whose source is a bucket at a server that answers nothing."""
    config = write_config(path, path / "fleet.parquet", alerts=(), deadline=DEADLINE)
    address = f"s3://key:secret@bucket/fleet.parquet?scheme=http&region=here&endpoint_override=127.0.0.1:{http.port}"
    config.write_text(config.read_text().replace(str(path / "fleet.parquet"), address))
    return config


def test_a_bucket_that_never_answers(tmp_path):
    with http_server(Answer(silent=True)) as http:
        code, out, err = ended(silent_bucket(tmp_path, http))
        assert http.requests
    assert (code, out) == (69, "")
    assert len(err.splitlines()) == 1
    assert "secret" not in err


def test_a_signal_reaches_a_run_that_waits_for_a_bucket(tmp_path):
    with http_server(Answer(silent=True)) as http:
        config = silent_bucket(tmp_path, http)
        config.write_text(config.read_text().replace(f"deadline = {DEADLINE}", "deadline = 50"))
        with start(config) as process:
            until(lambda: http.requests)
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            process.communicate(timeout=60)
        assert time.monotonic() - began < 20
    assert process.returncode == 143


def test_a_state_file_that_somebody_holds(tmp_path):
    pq.write_table(TABLE, tmp_path / "fleet.parquet")
    (tmp_path / "out").mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "out" / "state.db", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with http_server() as http:
            config = write_config(tmp_path, tmp_path / "fleet.parquet", http=http, deadline=20)
            code, out, err = ended(config, "--json", seconds=20 + 3)
            found = json.loads(out)
            assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
            assert http.requests
    assert code == found["exit"] == 70
    assert "alerts may repeat" in err


@pytest.mark.long
def test_kernels_that_are_not_compiled_in_time_are_there_for_a_later_run(server, tmp_path):
    env = {"RIDGELINE_CACHE_DIR": str(tmp_path / "cache")}
    config = write_config(tmp_path, server.url, alerts=(), deadline=DEADLINE)
    code, out, err = ended(config, "--json", env=env)
    assert code == 70
    assert json.loads(out)["outcomes"] == {"shed": len(FLEET.metrics)}
    assert "the kernels are still being compiled" in err
    give_up = time.monotonic() + 300
    while code == 70:
        assert time.monotonic() < give_up
        code, out, err = ended(config, "--json", env=env)
    assert code == 0
    assert all("waiting for it" in said for said in err.splitlines()), err
    assert json.loads(out)["outcomes"]["analysed"] > 100
