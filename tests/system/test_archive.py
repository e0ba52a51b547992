"""Redis into an archive, by commands: each minute's run, exports, kills, and a backtest of what came of it."""

import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, load, run, run_json, write_config

from ridgeline.engine.archive.archive import opened
from ridgeline.engine.archive.folder import Folder
from ridgeline.engine.cli.main import main
from ridgeline.io.parquet.source import ParquetSource

STEP = 60
METRICS = 20


@pytest.fixture(scope="module")
def server():
    with redis_server() as running:
        yield running


@pytest.fixture
def redis(server):
    server.client.flushall()
    return server


def fleet(points, end=END, metrics=METRICS, seed=1):
    """A noisy fleet at 60 s up to `end`, of which every other metric ends in a step."""
    noise = np.random.default_rng(seed)
    stamps = np.arange(END - 399 * STEP, END + 10 * STEP, STEP)
    values = noise.normal(100, 5, (metrics, len(stamps)))
    values[::2, 396:] += 60
    some = (stamps <= end) & (stamps > end - points * STEP)
    names = [f"app.m{at:02d}" for at in range(metrics)]
    return pa.table(
        {
            "metric": pa.array(np.repeat(names, int(some.sum()))),
            "timestamp": pa.array(np.tile(stamps[some], metrics)),
            "value": pa.array(values[:, some].ravel()),
        }
    )


def configured(tmp_path, source, extra="", **options):
    extra = f'[archive]\ndirectory = "{tmp_path / "archive"}"\n{extra}'
    return write_config(tmp_path, source, alerts=options.pop("alerts", ()), extra=extra, **options)


def archived(folder):
    """(metric, timestamp, value) of every point that readers see, sorted."""
    points = []
    source = ParquetSource(folder)
    for each in source.chunks():
        owners = np.repeat(each.metrics.to_pylist(), np.diff(each.offsets))
        points += zip(owners.tolist(), each.timestamps.tolist(), each.values.tolist(), strict=True)
    assert not source.unreadable
    return sorted(points)


def rows(table):
    return sorted(zip(*(table.column(name).to_pylist() for name in ("metric", "timestamp", "value")), strict=True))


def test_a_backtest_of_the_archive_says_what_the_runs_said(redis, tmp_path, capsys):
    config = configured(tmp_path, redis.url)
    said = {}
    for minute in range(-3, 5):
        now = END + minute * STEP
        load(redis.client, fleet(390, now))
        code, shown, _ = run_json(capsys, config, "--archive", as_of=now)
        assert code == 0
        assert shown["archive"]["points"] == (390 * METRICS if minute == -3 else METRICS)
        said[now] = {found["metric"]: found["votes"] for found in shown["anomalies"]}
    assert len(said[END]) >= METRICS // 4
    out = tmp_path / "backtest"
    start = str(END - 3 * STEP)
    assert (
        main(["backtest", str(tmp_path / "archive"), "--output", str(out), "--from", start, "-q", "--window", "24h"])
        == 0
    )
    steps = pa.concat_tables([pq.read_table(path) for path in sorted((out / "scores").glob("*.parquet"))])
    replayed = {now: {} for now in said}
    for row in steps.to_pylist():
        if row["anomalous"]:
            replayed[row["timestamp"]][row["metric"]] = row["votes"]
    assert replayed == said


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


def test_score_and_second_stage_read_the_archive(redis, tmp_path):
    config = configured(tmp_path, redis.url)
    load(redis.client, fleet(390))
    assert run(config, "--archive") == 0
    out = tmp_path / "scored.parquet"
    assert main(["score", str(tmp_path / "archive"), str(out), "-q"]) == 0
    assert pq.read_table(out).num_rows == METRICS


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


def start(config, *arguments):
    command = [sys.executable, "-m", "ridgeline", *arguments, "-q", "-c", str(config)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ)


@pytest.mark.parametrize("kills", [4, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("command", [("run", "--archive", "--as-of", str(END)), ("export",)])
def test_kills_lose_nothing_and_double_nothing(redis, tmp_path, command, kills):
    """Processes of each kind are killed at moments spread over what one takes; then one is let finish."""
    config = configured(tmp_path, redis.url)
    times = np.linspace(0.35, 1.0, kills)  # before that, Python imports
    whole = 2.0
    for turn, share in enumerate([None, *times]):
        load(redis.client, fleet(300 + turn))  # one more late point of each metric
        began = time.monotonic()
        process = start(config, *command)
        try:
            process.communicate(timeout=60 if share is None else share * whole)
            whole = whole if share is not None else time.monotonic() - began
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
        if list((tmp_path / "archive").rglob("day=*/0*.parquet")):
            points = archived(tmp_path / "archive")
            assert len(points) == len({point[:2] for point in points})
            assert set(points) <= set(rows(fleet(399)))
    process = start(config, *command)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {0, 66}, err
    assert archived(tmp_path / "archive") == rows(fleet(300 + kills))
