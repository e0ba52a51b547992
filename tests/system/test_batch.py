"""`ridgeline batch` against a real Redis: what it takes from its queue, what it leaves there, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.carbon import carbon
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import load, received, run, write_config
from rigs.waiting import until

from ridgeline.engine.batch import block, once, turn
from ridgeline.engine.batch.once import batch_once
from ridgeline.engine.batch.turn import Request
from ridgeline.engine.cli.main import main
from ridgeline.engine.config.load import load_config
from ridgeline.io.errors import LockHeld, OutputError, SourceUnavailable

NOW = 1_700_000_100
MARKS = "analyzer.last_timestamp.base_names"


@pytest.fixture
def server():
    with redis_server() as found:
        yield found


@pytest.fixture
def config(server, tmp_path):
    return write_config(tmp_path, server.url, alerts=(), extra=f'[handoff]\npanorama_checks = "{tmp_path}"')


def fill(client, *metrics, points=300, spikes=(3,), end=NOW):
    """Series a minute apart up to `end`, with spikes so many points before their end."""
    stamps = np.arange(points) * 60 + end - 60 * (points - 1)
    values = np.random.default_rng(1).normal(100, 5, points)
    values[[points - 1 - at for at in spikes]] = 900
    for metric in metrics:
        load(client, pa.table({"metric": [metric] * points, "timestamp": stamps, "value": values}))


def queue(client, *metrics, since=NOW - 900):
    client.sadd("analyzer.batch", *(str([f"metrics.{metric}", since, None]) for metric in metrics))


def batch(config, now=NOW, **options):
    return batch_once(Request(load_config(config), **options), now=lambda: float(now))


def counts(summary):
    return summary.metrics, summary.points, summary.anomalies, summary.exit


def test_new_points_are_judged_once(server, config, tmp_path):
    fill(server.client, "jobs.a", "jobs.b")
    queue(server.client, "jobs.a", "jobs.b")
    server.client.hset(MARKS, "jobs.a", NOW - 600)
    server.client.set("last_timestamp.jobs.b", NOW - 120)
    assert counts(batch(config)) == (2, 10 + 2, 1, 0)
    spike = NOW - 180
    assert server.client.get(f"analyzer_batch.anomaly.{spike}.jobs.a") == str(spike).encode()
    assert server.client.ttl(f"analyzer_batch.anomaly.{spike}.jobs.a") > 86_000
    assert server.client.hkeys("analyzer_batch.alerts") == [f"{spike}.jobs.a".encode()]
    assert server.client.hgetall(MARKS) == {b"jobs.a": str(NOW).encode(), b"jobs.b": str(NOW).encode()}
    assert server.client.mget("last_timestamp.jobs.a", "last_timestamp.jobs.b") == [str(NOW).encode()] * 2
    assert [path.name for path in tmp_path.glob("*.txt")] == [f"{spike}.jobs.a.txt"]
    assert not server.client.exists("analyzer.batch")
    assert 0 < server.client.ttl("analyzer_batch") <= 900
    queue(server.client, "jobs.a")
    assert counts(batch(config)) == (1, 0, 0, 0)


def test_the_sign_of_life_lasts_three_periods_of_the_agents(server, config):
    config.write_text(config.read_text() + "[agent]\nbatch_every = 40\n")
    batch(config)
    assert 110 < server.client.ttl("analyzer_batch") <= 120


def test_a_metric_without_a_watermark_is_judged_from_the_earliest_that_is_asked_for(server, config):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a", since=NOW - 600)
    queue(server.client, "jobs.a", since=NOW - 1200)
    assert batch(config).points == 20


def test_a_watermark_never_goes_back(server, config):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a")
    server.client.hset(MARKS, "jobs.a", NOW + 6000)
    assert batch(config).points == 0
    assert server.client.hget(MARKS, "jobs.a") == str(NOW + 6000).encode()
    assert batch(config, match="jobs.", reprocess=NOW - 600).points == 11
    assert server.client.hget(MARKS, "jobs.a") == str(NOW + 6000).encode()


def test_late_points_are_counted_and_judged_where_that_is_asked_for(server, config, tmp_path):
    fill(server.client, "jobs.a", spikes=())
    queue(server.client, "jobs.a")
    assert batch(config).late == 0
    late = pa.table({"metric": ["jobs.a"] * 2, "timestamp": [NOW - 1000, NOW - 30], "value": [2000.0, 3000.0]})
    load(server.client, late, mode="append")
    queue(server.client, "jobs.a")
    found = batch(config)
    assert (found.points, found.late, found.anomalies) == (0, 2, 0)
    queue(server.client, "jobs.a")
    assert batch(config).late == 0  # once
    again = batch(config, match="jobs.a", reprocess=NOW - 1001)
    assert (again.points, again.anomalies) == (19, 2)
    assert (
        server.client.exists(f"analyzer_batch.anomaly.{NOW - 1000}.jobs.a", f"analyzer_batch.anomaly.{NOW - 30}.jobs.a")
        == 2
    )
    assert not server.client.exists("analyzer_batch.alerts")


def test_all_takes_what_is_listed_and_match_some_of_it(server, config):
    fill(server.client, "jobs.a", "jobs.b", "cpu", points=150)
    assert counts(batch(config, match="jobs."))[:2] == (2, 300)
    assert counts(batch(config, everything=True))[:2] == (3, 150)


def test_what_is_skipped_is_not_judged(server, config):
    config.write_text(config.read_text() + '[analysis]\nskip = ["jobs.a"]\n')
    fill(server.client, "jobs.a", "jobs.b")
    server.client.hset("metrics_manager.api_skip_analysis", "jobs.c", NOW + 600)
    queue(server.client, "jobs.a", "jobs.b", "jobs.c")
    assert batch(config).metrics == 1
    assert not server.client.exists("analyzer.batch")


def test_each_host_takes_its_own(server, config):
    names = [f"jobs.{at}" for at in range(12)]
    fill(server.client, *names)
    queue(server.client, *names)
    text, seen = config.read_text(), []
    for host in ("a", "b", "c"):
        config.write_text(text + f'[shards]\nhosts = ["a", "b", "c"]\nhost = "{host}"\n')
        seen.append(batch(config).metrics)
    assert sum(seen) == len(names) > max(seen)
    assert not server.client.exists("analyzer.batch")


HOSTILE = [
    b"", b"\xff\xfe", b"[" * 50_000, b"('a'," * 9000, b"x" * 3_000_000, b"['metrics.jobs.a', 1e999, None]",
    b"__import__('os').system('touch /tmp/owned')", b"['metrics.a\x00b', 1, None, 5]", b"[1, 2]", b"*3\r\n$3\r\nDEL\r\n",
    b"['metrics.\xff', 1, None]", b"{'a': 1}", b"9" * 10_000,
]  # fmt: skip


def test_members_that_make_no_sense_are_counted_and_removed(server, config):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a")
    server.client.sadd("analyzer.batch", *HOSTILE)
    found = batch(config)
    assert (found.metrics, found.malformed, found.exit) == (1, len(HOSTILE), 0)
    assert not server.client.exists("analyzer.batch")
    server.client.sadd("analyzer.batch", *HOSTILE)  # and where there is nothing else
    assert batch(config).malformed == len(HOSTILE)
    assert not server.client.exists("analyzer.batch")


def test_names_that_are_no_text_are_found(server, config):
    fill(server.client, "jobs.a")
    server.client.rename("metrics.jobs.a", b"metrics.jobs.\xe9")
    server.client.sadd("analyzer.batch", str(["metrics.jobs.\\xe9", NOW - 600, None]))
    assert batch(config).points == 10


def test_a_name_of_several_lines_is_one_metric_in_all_that_is_kept(server, config, tmp_path):
    name = "jobs.a\n['metrics.jobs.b', 1]"
    fill(server.client, name)
    queue(server.client, name)
    assert counts(batch(config)) == (1, 15, 1, 0)
    assert server.client.hgetall(MARKS) == {name.encode(): b"%d" % NOW}
    assert server.client.hkeys("analyzer_batch.alerts") == [f"{NOW - 180}.{name}".encode()]
    (check,) = tmp_path.glob(f"{NOW - 180}.*.txt")
    assert check.read_text().startswith(f"metric = {name!r}\n")
    (file,) = tmp_path.glob("out/batch/*.parquet")
    assert set(pq.read_table(file)["metric"].to_pylist()) == {name}
    assert not server.client.exists("analyzer.batch")


@pytest.mark.parametrize("many", [1_000, pytest.param(60_000, marks=pytest.mark.long)])
def test_very_many_members_are_worked_off_a_slice_at_a_time(server, config, many):
    fill(server.client, "jobs.a")
    pipeline = server.client.pipeline(transaction=False)
    for first in range(0, many, 1000):
        pipeline.sadd(
            "analyzer.batch", *(f"['metrics.gone.{at}', {NOW - 900}, None]" for at in range(first, first + 1000))
        )
    pipeline.execute()
    queue(server.client, "jobs.a")
    with mock.patch.object(once, "SLICE", many // 7):
        found = batch(config)
    assert (found.metrics, found.points, found.exit) == (many + 1, 15, 0)
    assert not server.client.exists("analyzer.batch")


@pytest.mark.parametrize(
    "key", ["analyzer.batch", MARKS, "analyzer_batch.alerts", "ridgeline.batch_parked", "ridgeline.batch_census"]
)
def test_a_key_of_another_type_is_told_before_anything_is_judged(server, config, key):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a")
    server.client.delete(key)
    server.client.set(key, "x")
    with pytest.raises(SourceUnavailable, match=f"the key {key} in Redis"):
        batch(config)
    assert not server.client.exists("last_timestamp.jobs.a")


def test_keys_of_one_metric_may_be_of_any_type(server, config):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a")
    server.client.sadd("last_timestamp.jobs.a", "x")
    server.client.sadd(f"analyzer_batch.anomaly.{NOW - 180}.jobs.a", "x")
    assert counts(batch(config)) == (1, 15, 1, 0)
    assert server.client.get("last_timestamp.jobs.a") == str(NOW).encode()


def test_a_metric_that_fails_is_tried_again_then_left_alone_and_others_are_not_kept_waiting(server, config, capsys):
    fill(server.client, "jobs.a", "jobs.b")
    server.client.set("metrics.jobs.odd", b"\xc1 no points")
    server.client.hset("metrics.jobs.hash", "a", "b")
    now = NOW
    for attempt in range(1, 6):
        queue(server.client, "jobs.a", "jobs.odd", "jobs.hash")
        assert batch(config, now).metrics == 1
        assert not server.client.exists("analyzer.batch")
        main(["batch", "list", "--json", "-c", str(config)])
        listed = json.loads(capsys.readouterr().out)
        assert [(one["metric"], one["watermark"], one["attempts"]) for one in listed] == [
            ("jobs.hash", None, attempt),
            ("jobs.odd", None, attempt),
        ]
        assert batch(config, now + 1).parked == 2 * (attempt == 5)  # not due yet
        now += 60 << attempt
    assert main(["batch", "list", "-c", str(config)]) == 0
    assert (
        "jobs.odd: never judged, 5 attempts, left alone: its series cannot be read: malformed"
        in capsys.readouterr().out
    )
    queue(server.client, "jobs.odd")
    assert batch(config, now + 10**6).metrics == 0  # left alone
    server.client.delete("metrics.jobs.odd", "metrics.jobs.hash")
    fill(server.client, "jobs.odd", "jobs.hash")
    assert batch(config, now, match="jobs.").parked == 0
    assert not server.client.exists("ridgeline.batch_parked")


def test_people_hear_of_metrics_that_are_left_alone(server, tmp_path):
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http, extra='[batch]\nmatch = ["jobs."]')
        server.client.set("metrics.jobs.odd", b"\xc1 no points")
        fill(server.client, "jobs.a", "cpu")
        for attempt in range(5):
            queue(server.client, "jobs.odd")
            run(config, "-q", as_of=NOW)
            assert "ridgeline.batch_parked" not in received(http)
            batch(config, NOW + (60 << attempt) * attempt)
        for _ in range(2):
            run(config, "-q", as_of=NOW)
            assert received(http).count("ridgeline.batch_parked") == 1
        (alert,) = [
            one for post in http.requests for one in post.json["alerts"] if one["metric"] == "ridgeline.batch_parked"
        ]
        assert "1 metric is not judged any more" in alert["message"]
        assert "jobs.odd" in alert["message"]


def test_what_is_found_is_alerted_on_by_the_next_run(server, tmp_path):
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http, extra='[batch]\nmatch = ["jobs."]')
        fill(server.client, "jobs.a", "cpu", spikes=(3,))
        server.client.hset(MARKS, "jobs.a", NOW - 600)
        batch(config)  # alive
        run(config, "-q", as_of=NOW)
        assert server.client.smembers("analyzer.batch") == {str(["metrics.jobs.a", NOW - 600, None]).encode()}
        assert batch(config).anomalies == 1
        run(config, "-q", as_of=NOW + 60)
        (alert,) = [one for post in http.requests for one in post.json["alerts"]]
        assert (alert["metric"], alert["timestamp"], alert["value"]) == ("jobs.a", NOW - 180, 900.0)
        assert not server.client.exists("analyzer_batch.alerts")


def test_what_is_due_again_is_taken_up_though_nobody_queues_it(server, config):
    server.client.set("metrics.jobs.odd", b"\xc1 no points")
    queue(server.client, "jobs.odd", since=NOW - 600)
    batch(config)
    server.client.delete("metrics.jobs.odd")
    fill(server.client, "jobs.odd")
    assert batch(config, NOW + 30).points == 0
    assert batch(config, NOW + 61).points == 10


def test_a_bug_about_one_metric_costs_no_other(server, config):
    fill(server.client, "jobs.a", "jobs.b", "jobs.c")
    queue(server.client, "jobs.a", "jobs.b", "jobs.c")
    judge = block.judge

    def odd(matrix, *rest, **options):
        if "jobs.b" in matrix.metrics.to_pylist():
            raise ZeroDivisionError("odd")
        return judge(matrix, *rest, **options)

    with mock.patch.object(block, "judge", odd):
        assert counts(batch(config)) == (2, 30, 2, 0)
    assert b"a bug: ZeroDivisionError: odd" in server.client.hget("ridgeline.batch_parked", "jobs.b")
    assert not server.client.hexists(MARKS, "jobs.b")


def test_what_cannot_be_written_is_alerted_on_and_stays_to_be_done(server, config, tmp_path):
    config.write_text(
        config.read_text().replace(f'panorama_checks = "{tmp_path}"', f'panorama_checks = "{tmp_path}/gone"')
    )
    fill(server.client, "jobs.a")
    fill(server.client, "jobs.quiet", spikes=())
    queue(server.client, "jobs.a", "jobs.quiet")
    found = batch(config)
    assert (found.exit, found.metrics) == (74, 1)
    assert "the files of 1 metrics could not be written" in found.problems[0]
    assert server.client.hlen("analyzer_batch.alerts") == 1
    assert server.client.hkeys(MARKS) == [b"jobs.quiet"]
    assert server.client.scard("analyzer.batch") == 1
    (tmp_path / "gone").mkdir()
    assert counts(batch(config)) == (1, 15, 1, 0)
    assert not server.client.exists("analyzer.batch")


def test_what_follows_points_that_were_not_recorded_waits_for_them(server, config):
    fill(server.client, "jobs.a", points=1300, spikes=range(5, 1100, 100))
    fill(server.client, "jobs.b")
    queue(server.client, "jobs.a", "jobs.b", since=0)
    tell, failures = turn.tell_panorama, iter([OutputError("full")])

    def failing_once(entry, *rest):
        if entry.metric == "jobs.a" and entry.anomalies and (error := next(failures, None)):
            raise error
        tell(entry, *rest)

    with (
        mock.patch("ridgeline.engine.batch.pieces.pieces_of.__defaults__", (130,)),
        mock.patch.object(turn, "tell_panorama", failing_once),
    ):
        found = batch(config)
        assert (found.exit, found.metrics) == (74, 1)
        reached = int(server.client.hget(MARKS, "jobs.a") or 0)
        assert reached < min(int(key.split(b".")[2]) for key in server.client.keys("analyzer_batch.anomaly.*.jobs.a"))
        assert batch(config).exit == 0
    assert int(server.client.hget(MARKS, "jobs.a")) == NOW


def test_a_dry_run_writes_nothing(server, config, tmp_path):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a")
    server.client.sadd("analyzer.batch", "no member")
    before = set(server.client.keys())
    assert counts(batch(config, dry_run=True)) == (1, 15, 1, 0)
    assert set(server.client.keys()) == before
    assert server.client.scard("analyzer.batch") == 2
    assert not list(tmp_path.glob("*.txt"))


def test_a_long_backlog_is_recorded_a_piece_at_a_time(server, config):
    fill(server.client, "jobs.a", points=1300, spikes=range(5, 1100, 100))
    queue(server.client, "jobs.a", since=0)
    whole = batch(config, dry_run=True)
    with mock.patch("ridgeline.engine.batch.pieces.pieces_of.__defaults__", (130,)):
        found = batch(config)
    assert (found.points, found.anomalies) == (1300, whole.anomalies) != (1300, 0)
    assert len(server.client.keys("analyzer_batch.anomaly.*")) == whole.anomalies


def test_a_deadline_ends_a_pass_and_keeps_what_was_done(server, config, monkeypatch):
    monkeypatch.setattr("ridgeline.io.redis.block.ROWS", 10)
    names = [f"jobs.{at:03}" for at in range(60)]
    fill(server.client, *names)
    queue(server.client, *names)
    request = Request(load_config(config), deadline=100.0)
    ticks = iter(range(100_000))
    found = batch_once(request, now=lambda: float(NOW), clock=lambda: float(next(ticks)))
    assert found.exit == 70
    assert "its deadline came" in found.problems[0]
    waiting = server.client.scard("analyzer.batch")
    assert 0 < waiting < 60
    assert found.metrics <= 60 - waiting  # the answer to the last of it may have come too late
    assert batch(config).metrics == waiting


def test_the_numbers_are_told_where_that_is_asked_for(server, config, tmp_path):
    fill(server.client, "jobs.a")
    queue(server.client, "jobs.a")
    with carbon() as listener:
        config.write_text(
            config.read_text()
            + f'[statistics]\ngraphite = "{listener.setting}"\nname = "x"\nprometheus_textfile = "{tmp_path}/ridgeline.prom"\n'
        )
        batch(config, match="cpu")  # no pass over all that is due
        assert not (tmp_path / "ridgeline_batch.prom").exists()
        batch(config)
        until(lambda: listener.batches)
        numbers = listener.numbers()
    name = f"skyline.analyzer_batch.{os.uname().nodename.replace('.', '_')}"
    assert numbers.pop(f"{name}.run_time")[1] == NOW
    assert numbers == {f"{name}.total_analyzed": (1, NOW), f"{name}.total_anomalies": (1, NOW)}
    text = (tmp_path / "ridgeline_batch.prom").read_text()
    assert "\nridgeline_batch_points 15\n" in text
    assert f"\nridgeline_batch_last_run_timestamp_seconds {NOW}\n" in text


def test_two_passes_do_not_meet(server, config):
    with mock.patch.object(once, "_work_off_queue", side_effect=lambda _: batch(config)), pytest.raises(LockHeld):
        batch(config)


def test_the_command_tells_what_it_did(server, config, capsys):
    fill(server.client, "jobs.a", end=int(time.time()) // 60 * 60)
    assert main(["batch", "--json", "--match", "jobs.", "-c", str(config)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("seconds") > 0
    assert told == {"metrics": 1, "points": 300, "anomalies": 1, "late": 0, "parked": 0, "exit": 0}
    assert main(["batch", "-c", str(config)]) == 0
    assert capsys.readouterr().out.startswith("0 metrics, 0 points, 0 anomalies in ")
    assert main(["batch", "--reprocess", "5", "-c", str(config)]) == 2
    assert "say which" in capsys.readouterr().err


def test_without_a_redis_it_says_so(config, tmp_path, capsys):
    away = write_config(tmp_path, f"unix://{tmp_path}/none", alerts=())
    assert main(["batch", "-c", str(away)]) == 69
    away = write_config(tmp_path, "x.parquet", alerts=())
    assert main(["batch", "-c", str(away)]) == 2
    assert "takes its work from Redis" in capsys.readouterr().err


def test_rights_that_are_missing_are_told_of(tmp_path, capsys):
    with redis_server(acl={"batch": "on nopass +ping +select ~*"}) as server:
        config = write_config(tmp_path, server.url, alerts=())
        config.write_text(config.read_text().replace("[source]", '[source]\nusername = "batch"'))
        assert main(["batch", "-c", str(config)]) == 77
    assert "does not let this user do that" in capsys.readouterr().err


def test_sigterm_ends_it_in_time(server, config):
    names = [f"jobs.{at}" for at in range(40)]
    fill(server.client, *names, points=20_000)
    command = [sys.executable, "-m", "ridgeline", "batch", "--all", "-c", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ)
    try:
        until(lambda: server.client.exists(MARKS) or process.poll() is not None, 60)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert time.monotonic() - began < 5
        assert process.returncode == 143
    finally:
        process.kill()
        process.wait()
