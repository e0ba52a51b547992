"""Redis into an archive, by commands: each minute's run, exports, kills, and a backtest of what came of it."""

import errno
import json
import signal
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from rigs.archives import (
    ALL,
    DAY,
    FIRST,
    METRICS,
    STEP,
    anomalous,
    archived,
    fleet,
    long_table,
    peaking,
    replayed,
    rows,
)
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, load, received, run, run_json, write_config
from rigs.warm import start

from ridgeline.engine.archive.archive import opened
from ridgeline.engine.archive.folder import Folder
from ridgeline.engine.cli.main import main

CONSENSUS = 6


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


@pytest.fixture
def redis(server):
    server.client.flushall()
    return server


def configured(tmp_path, source, extra="", **options):
    extra = f'[archive]\ndirectory = "{tmp_path / "archive"}"\n{extra}'
    return write_config(tmp_path, source, alerts=options.pop("alerts", ()), extra=extra, **options)


def test_a_backtest_of_the_archive_says_what_the_runs_said(redis, tmp_path, capsys):
    config = configured(tmp_path, redis.url)
    said = {}
    for minute in range(-3, 5):
        now = END + minute * STEP
        load(redis.client, fleet(ALL, now))
        code, shown, _ = run_json(capsys, config, "--archive", as_of=now)
        assert code == 0
        assert shown["archive"]["points"] == METRICS * ((now - FIRST) // STEP + 1 if minute == -3 else 1)
        said[now] = {found["metric"]: found["votes"] for found in shown["anomalies"]}
    assert len(said[END]) >= METRICS // 4
    steps = replayed(tmp_path / "archive", tmp_path / "backtest", END - 3 * STEP)
    assert {now: anomalous(votes, CONSENSUS) for now, votes in steps.items()} == said


def test_export_takes_all_of_redis_and_only_once(redis, tmp_path, capsys):
    config = configured(tmp_path, redis.url)
    load(redis.client, fleet(100))
    export = ["export", "-c", str(config)]
    assert main([*export, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["metrics"], shown["points"], shown["late"]) == (METRICS, 100 * METRICS, 0)
    assert main([*export, "-q"]) == 0
    assert archived(tmp_path / "archive") == rows(fleet(100))
    load(redis.client, fleet(50, END + STEP))  # Redis forgot half of it
    assert main([*export, str(tmp_path / "archive")]) == 0
    assert "20 points added, 0 of them late" in capsys.readouterr().out
    assert archived(tmp_path / "archive") == rows(fleet(101, END + STEP))


def test_score_reads_the_archive(redis, tmp_path):
    config = configured(tmp_path, redis.url)
    load(redis.client, fleet(390))
    assert run(config, "--archive") == 0
    out = tmp_path / "scored.parquet"
    assert main(["score", str(tmp_path / "archive"), str(out), "-q"]) == 0
    assert pq.read_table(out).num_rows == METRICS


def test_explain_says_of_an_hour_that_redis_has_forgotten_what_it_said_then(redis, tmp_path, capsys):
    config, folder = configured(tmp_path, redis.url), str(tmp_path / "archive")
    for minute, points in ((0, 390), (4, 200), (8, 100)):
        now = END + minute * STEP
        load(redis.client, fleet(points, now))
        assert run(config, "--archive", "-q", as_of=now) == 0
        if now == END:
            said = explained(capsys, "-c", str(config), "--as-of", str(END))
    assert said["anomalous"] is True
    assert main(["export", "-c", str(config), "-q"]) == 0
    assert explained(capsys, "--input", folder, "--as-of", str(END)) == said
    newest = explained(capsys, "--input", folder)
    assert (newest["as_of"], newest["timestamp"]) == (END + 8 * STEP, END + 8 * STEP)


def explained(capsys, *arguments):
    capsys.readouterr()
    assert main(["explain", "app.m02", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_second_stage_asks_the_archive_for_days_that_redis_has_forgotten(redis, tmp_path, capsys):
    every = {"new": peaking("new", daily=False), "daily": peaking("daily", daily=True)}
    stage = f'[second_stage]\npath = "{tmp_path / "archive"}"\ndays = 7'
    for day in range(7, -1, -1):
        now = END - day * DAY
        held = {name: (stamps > now - DAY) & (stamps <= now) for name, (stamps, _) in every.items()}
        parts = {name: tuple(column[held[name]] for column in points) for name, points in every.items()}
        load(redis.client, long_table(parts))
        if day:
            assert main(["export", "-c", str(configured(tmp_path, redis.url)), "-q"]) == 0
    with http_server() as http:
        config = configured(tmp_path, redis.url, stage, alerts=(("", "http", 3600),), http=http)
        code, shown, _ = run_json(capsys, config, "--archive")
        assert code == 0
    assert {one["metric"]: one["second_stage"] for one in shown["anomalies"]} == {
        "new": "confirmed",
        "daily": "not_confirmed",
    }
    assert received(http) == ["new"]


def test_alerts_go_out_whatever_becomes_of_the_archive(redis, tmp_path, capsys):
    load(redis.client, fleet(390))
    (tmp_path / "archive").write_text("no folder")
    with http_server() as http:
        config = configured(tmp_path, redis.url, alerts=(("", "http", 3600),), http=http)
        code, shown, err = run_json(capsys, config, "--archive")
        assert code == 74
        assert "nothing is archived" in err
        assert shown["alerts"]["sent"] > 0
        assert http.requests


def test_a_full_disk_is_a_sentence_and_the_next_run_makes_up_for_it(redis, tmp_path, capsys, monkeypatch):
    load(redis.client, fleet(390))
    config = configured(tmp_path, redis.url)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        code, _, err = run_json(capsys, config, "--archive")
    assert code == 74
    assert "the archive is behind" in err
    assert run(config, "--archive") == 0
    assert archived(tmp_path / "archive") == rows(fleet(390))


def test_a_run_leaves_an_archive_alone_that_another_writes(redis, tmp_path, capsys):
    load(redis.client, fleet(390))
    config = configured(tmp_path, redis.url)
    with opened(Folder(tmp_path / "archive"), 86400, 86400, END):
        code, _, err = run_json(capsys, config, "--archive")
    assert code == 0
    assert "the next one makes up for it" in err
    assert run(config, "--archive") == 0
    assert len(archived(tmp_path / "archive")) == 390 * METRICS


def test_nothing_is_archived_unless_asked_for(redis, tmp_path):
    load(redis.client, fleet(390))
    config = configured(tmp_path, redis.url)
    assert run(config) == 0
    assert run(config, "--archive", "--dry-run") == 0
    assert not (tmp_path / "archive").exists()
    plain = write_config(tmp_path, redis.url, alerts=())
    assert run(plain, "--archive") == 2


@pytest.mark.parametrize("keep", ["12h", "1s"])
def test_less_than_the_window_is_no_archive(redis, tmp_path, capsys, keep):
    config = configured(tmp_path, redis.url, f'keep = "{keep}"')
    assert run(config, "--archive") == 2
    assert "keep" in capsys.readouterr().err


def test_outputs_lie_beside_the_archive(tmp_path, capsys):
    config = configured(tmp_path, "unix:///nowhere", output="archive/out")
    assert run(config) == 2
    assert "lies within `[archive] directory`" in capsys.readouterr().err


@pytest.mark.parametrize("kills", [6, pytest.param(20, marks=pytest.mark.long)])
def test_kills_lose_nothing_and_double_nothing_and_a_backtest_says_what_the_runs_said(redis, tmp_path, capsys, kills):
    """Each minute a process that archives, a run or an export in turn, is killed at a moment of its own; the last is let finish."""
    config = configured(tmp_path, redis.url)
    shares, whole, said = np.random.default_rng(3).permutation(np.linspace(0.05, 1.0, kills)), 0.0, {}
    for turn in range(-2, kills + 1):
        now = END + (turn - kills + 5) * STEP
        load(redis.client, fleet(ALL, now))
        code, shown, err = run_json(capsys, config, as_of=now)
        assert (code, err) == (0, "")
        said[now] = {found["metric"]: found["votes"] for found in shown["anomalies"]}
        command = ("run", "--archive", "--as-of", str(now)) if turn % 2 else ("export",)
        began = time.monotonic()
        process = start(*command, "-q", "-c", str(config))
        process.join(shares[turn] * whole if 0 <= turn < kills else 120)
        process.kill()
        process.join(60)
        assert process.exitcode in ({0, -signal.SIGKILL} if 0 <= turn < kills else {0}), f"{turn}: {command}"
        whole = time.monotonic() - began if turn < 0 else whole
        points = archived(tmp_path / "archive")
        assert len(points) == len({point[:2] for point in points})
        assert set(points) <= set(rows(fleet(ALL, END + 5 * STEP)))
    assert points == rows(fleet(ALL, END + 5 * STEP))
    steps = replayed(tmp_path / "archive", tmp_path / "backtest", min(said))
    assert {now: anomalous(votes, CONSENSUS) for now, votes in steps.items()} == said
    assert sum(map(len, said.values())) > METRICS
