"""What `ridgeline run` does when things break: the source, the disk, the process, the clock."""

import random
import signal
import time

import pyarrow.parquet as pq
import pytest
from rigs.http import Answer, http_server
from rigs.redis import proxy, redis_server
from rigs.runs import END, FLEET, TABLE, load, received, run, run_json, start, write_config
from rigs.waiting import until

from ridgeline.engine.run.stages import outputs
from ridgeline.engine.score import scorer
from ridgeline.io.errors import OutputError

SENTINEL = "s3nt1nel-passw0rd"


@pytest.fixture(scope="module")
def loaded():
    with redis_server() as running:
        load(running.client)
        yield running


@pytest.fixture
def server(loaded):
    for key in [*loaded.client.scan_iter("last_alert.*"), *loaded.client.scan_iter("ridgeline.*")]:
        loaded.client.delete(key)
    return loaded


def test_down_at_start(tmp_path, capsys):
    with http_server() as http:
        config = write_config(tmp_path, "redis://127.0.0.1:1/0", http=http)
        began = time.monotonic()
        assert run(config) == 69
        assert time.monotonic() - began < 20
        assert http.requests == []
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert not list(tmp_path.glob("out/anomalies*"))


def test_lost_mid_run_alerts_on_what_was_analysed_and_the_next_run_on_the_rest(server, tmp_path, capsys):
    with http_server() as http, proxy(server.port) as between:
        config = write_config(tmp_path, between.url, http=http)
        # The listing takes a few kB, each chunk of ten series 45 kB: break off in the middle of the fleet.
        between.cut_after = 250_000
        code, found, errors = run_json(capsys, config)
        assert code == found["exit"] == 70
        assert found["reasons"]["source_lost"] == found["outcomes"]["shed"] > 0
        assert found["outcomes"]["analysed"] > 0
        assert found["metrics"] == len(FLEET.metrics)
        assert "the source was lost after" in errors
        first = received(http)
        assert sorted(first) == sorted(row["metric"] for row in found["anomalies"])
        between.cut_after = None
        code, found, _ = run_json(capsys, config)
        assert code == 0
        everything = {row["metric"] for row in found["anomalies"]}
        assert set(received(http)) == everything
        assert 0 < len(first) < len(everything)


def test_a_source_that_restarts_empty_is_no_data_not_health(server, tmp_path, capsys):
    with redis_server() as emptied, http_server() as http:
        emptied.client.sadd("metrics.unique_metrics", *(f"metrics.{name}" for name in FLEET.metrics))
        config = write_config(tmp_path, emptied.url, http=http)
        code, found, errors = run_json(capsys, config)
        assert code == found["exit"] == 66
        assert found["outcomes"] == {"missing": len(FLEET.metrics)}
        assert found["reasons"] == {"no_key": len(FLEET.metrics)}
        assert "only 0 of 120 metrics could be judged (120 missing)" in errors
        (request,) = http.requests
        (alert,) = request.json["alerts"]
        assert alert["metric"] == "ridgeline.no_data"
        assert "only 0 of 120 metrics could be judged" in alert["message"]
        code, found, _ = run_json(capsys, config)
        assert (code, found["alerts"]["suppressed"], len(http.requests)) == (66, 1, 1)


def test_no_metrics_at_all(tmp_path, capsys):
    with redis_server() as empty, http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, empty.url, http=http))
        assert (code, found["metrics"], found["outcomes"]) == (66, 0, {})
        assert "no metrics at all" in errors
        assert received(http) == ["ridgeline.no_data"]
    assert (tmp_path / "out" / "anomalies.json").read_text() == "[]\n"


def test_nothing_matches(server, tmp_path, capsys):
    code, _, errors = run_json(capsys, write_config(tmp_path, server.url, alerts=()), "--match", "no.such.metric")
    assert code == 66
    assert 'no metric that matches "no.such.metric"' in errors


@pytest.mark.parametrize("trouble", ["slow", "black hole"])
def test_a_run_ends_within_its_deadline(server, tmp_path, capsys, trouble):
    with http_server() as http, proxy(server.port) as between:
        config = write_config(tmp_path, between.url, http=http, deadline=4)
        if trouble == "slow":
            between.delay = 0.25
        else:
            between.on_reply = lambda passed: setattr(between, "blackhole", passed > 200_000)
        began = time.monotonic()
        code, found, errors = run_json(capsys, config)
        assert time.monotonic() - began < 4 + 10
    assert code == found["exit"] == 70
    assert found["metrics"] == len(FLEET.metrics)
    assert found["outcomes"]["shed"] == found["reasons"].get("deadline", 0) + found["reasons"].get("source_lost", 0) > 0
    assert "the run is partial" in errors


def test_a_black_hole_from_the_start(server, tmp_path, capsys):
    with proxy(server.port) as between:
        between.blackhole = True
        began = time.monotonic()
        assert run(write_config(tmp_path, between.url, deadline=3, alerts=())) == 69
        assert time.monotonic() - began < 3 + 10
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_wrong_password_is_tried_once_and_never_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", SENTINEL)
    with redis_server(password="the right one") as guarded, http_server() as http:
        config = write_config(tmp_path, f"redis://127.0.0.1:{guarded.port}/0", http=http)
        config.write_text(config.read_text().replace("[run]", 'password_env = "RIDGELINE_TEST_PASSWORD"\n[run]'))
        before = guarded.client.info("stats")["total_connections_received"]
        assert run(config) == 77
        assert guarded.client.info("stats")["total_connections_received"] - before <= 2
        assert http.requests == []
    shown = capsys.readouterr()
    assert len(shown.err.splitlines()) == 1
    assert SENTINEL not in shown.out + shown.err


def test_a_user_who_may_not_list_ends_with_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", SENTINEL)
    with redis_server(acl={"blind": f"on >{SENTINEL} ~metrics.* +ping"}) as guarded:
        load(guarded.client)
        config = write_config(tmp_path, guarded.url, alerts=())
        named = 'username = "blind"\npassword_env = "RIDGELINE_TEST_PASSWORD"\n[run]'
        config.write_text(config.read_text().replace("[run]", named))
        assert run(config) == 77
        shown = capsys.readouterr()
        assert SENTINEL not in shown.out + shown.err
        assert len(shown.err.splitlines()) == 1


def test_no_memory_for_our_own_writes_stops_no_alert(tmp_path, capsys):
    with redis_server() as full, http_server() as http:
        load(full.client)
        full.client.config_set("maxmemory", "1mb")
        code, found, errors = run_json(capsys, write_config(tmp_path, full.url, http=http))
        assert code == found["exit"] == 70
        assert found["alerts"]["sent"] == len(found["anomalies"]) == len(received(http)) > 0
        assert "alerts may repeat" in errors


def test_keys_of_another_type_and_keys_that_vanished(tmp_path, capsys):
    with redis_server() as mixed:
        load(mixed.client)
        names = [f"metrics.{name}" for name in FLEET.metrics]
        mixed.client.delete(*names[:3])
        mixed.client.lpush(names[0], "x")
        mixed.client.set(names[1], b"\xc1 not msgpack")
        code, found, _ = run_json(capsys, write_config(tmp_path, mixed.url, alerts=()))
    assert code == 0
    assert found["metrics"] == len(FLEET.metrics)
    assert found["outcomes"]["missing"] == 2
    assert found["outcomes"]["rejected"] == 1
    assert {name: found["reasons"][name] for name in ("no_key", "wrong_type", "malformed")} == dict.fromkeys(
        ("no_key", "wrong_type", "malformed"), 1
    )


def test_a_full_disk_comes_after_the_alerts(server, tmp_path, capsys, monkeypatch):
    def full(directory, anomalies):
        assert len(received(http)) == len(anomalies) > 0
        raise OutputError("cannot write anomalies.parquet: No space left on device")

    monkeypatch.setattr(outputs, "write_outputs", full)
    with http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, server.url, http=http))
    assert code == found["exit"] == 74
    assert "No space left on device" in errors


def test_an_output_folder_that_cannot_be_made_stops_no_alert(server, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, server.url, http=http, output="file/out"))
        assert len(received(http)) == len(found["anomalies"]) > 0
    assert code == found["exit"] == 74
    assert "file/out" in errors


def test_the_gravest_reason_decides_the_exit_code(server, tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    with http_server(Answer(status=400)) as http:
        config = write_config(tmp_path, server.url, http=http, output="file/out")
        assert run(config) == 74  # outputs and alerts both failed
        assert run(config, as_of=END + 86400) == 66  # and everything is stale
    assert "could be judged" in capsys.readouterr().err


def test_two_runs_at_once(server, tmp_path, capsys):
    with proxy(server.port) as between:
        between.delay = 0.1
        config = write_config(tmp_path, between.url, alerts=())
        with start(config) as first:
            until(lambda: list(tmp_path.glob("out/run-*.lock")) and between.connections)
            assert run(config) == 75
            between.delay = 0.0
            assert first.wait(120) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert f"process {first.pid}" in line
    assert run(write_config(tmp_path, server.url, alerts=())) == 0


def test_sigterm_and_sigkill_at_any_moment_leave_nothing_behind(server, tmp_path, capsys):
    moments = random.Random(5)
    with proxy(server.port) as between, http_server() as http:
        between.delay = 0.03
        config = write_config(tmp_path, between.url, http=http)
        for number in (signal.SIGTERM, signal.SIGKILL):
            between.connections = 0
            with start(config) as process:
                until(lambda: between.connections or process.poll() is not None)
                time.sleep(moments.uniform(0, 0.6))
                began = time.monotonic()
                process.send_signal(number)
                out, err = process.communicate(timeout=60)
            assert time.monotonic() - began < 20
            if number == signal.SIGTERM and process.returncode != 0:  # it may have been done before
                assert process.returncode == 143
                assert (out, err) == ("", "")
                assert not list(tmp_path.glob("out/*.tmp"))
        between.delay = 0.0
        code, found, _ = run_json(capsys, config)
        assert code == 0
        assert not list(tmp_path.glob("out/*.tmp"))
        alerted = received(http)
        assert set(alerted) == {row["metric"] for row in found["anomalies"]}


def test_a_parquet_file_that_breaks_off(tmp_path, capsys):
    path = tmp_path / "fleet.parquet"
    pq.write_table(TABLE, path)
    path.write_bytes(path.read_bytes()[:5000])
    assert run(write_config(tmp_path, path, alerts=())) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_bad_file_among_good_ones_costs_its_own_metrics_only(tmp_path, capsys):
    folder = tmp_path / "fleet.parquet"
    folder.mkdir()
    for number in range(4):
        names = set(FLEET.metrics[number * 30 : number * 30 + 30])
        pq.write_table(
            TABLE.filter([name in names for name in TABLE["metric"].to_pylist()]), folder / f"{number}.parquet"
        )
    whole = (folder / "2.parquet").read_bytes()
    (folder / "2.parquet").write_bytes(whole[: len(whole) // 2])
    with http_server() as http:
        code, found, errors = run_json(capsys, write_config(tmp_path, folder, http=http))
        assert sorted(received(http)) == sorted(row["metric"] for row in found["anomalies"])
        assert http.requests
    assert code == found["exit"] == 70
    assert found["metrics"] == 90
    assert "left out, unreadable: " in errors
    assert "2.parquet" in errors


def test_a_parquet_run_says_what_it_did_not_reach(tmp_path, capsys, monkeypatch):
    judge_rows = scorer.judge_rows

    def slowly(*arguments, **options):
        time.sleep(0.4)
        return judge_rows(*arguments, **options)

    monkeypatch.setattr(scorer, "judge_rows", slowly)
    path = tmp_path / "fleet.parquet"
    pq.write_table(TABLE, path)
    config = write_config(tmp_path, path, alerts=(), deadline=3)
    config.write_text(config.read_text().replace("[run]", "chunk_metrics = 5\n[run]"))
    code, found, errors = run_json(capsys, config)
    assert code == 70
    assert found["metrics"] == len(FLEET.metrics)
    assert found["outcomes"]["shed"] == found["reasons"]["deadline"] > 0
    assert "its deadline came" in errors
    code, found, _ = run_json(capsys, config, "--match", "eu-west")
    assert found["metrics"] == sum("eu-west" in name for name in FLEET.metrics)


def test_secrets_of_the_alerter_never_show(server, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RIDGELINE_TEST_TOKEN", SENTINEL)
    with http_server(Answer(status=500)) as http:
        config = write_config(tmp_path, server.url, http=http, deadline=3)
        config.write_text(config.read_text().replace("[output]", 'token_env = "RIDGELINE_TEST_TOKEN"\n[output]'))
        code, found, errors = run_json(capsys, config)
        assert SENTINEL in http.requests[0].headers["authorization"]
        assert b"".join(request.body for request in http.requests).count(SENTINEL.encode()) == 0
    assert code == 70
    assert found["alerts"]["queued"] > 0
    assert SENTINEL not in errors
