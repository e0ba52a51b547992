"""`ridgeline.skyline.analyzer_batch` and its agent: work that is given, work that is queued, parents, signals."""

import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from rigs.redis import redis_server
from rigs.runs import load, write_config
from rigs.waiting import until

from ridgeline.io.errors import InputError, SourceUnavailable
from ridgeline.skyline.analyzer_batch import AnalyzerBatch

NOW = 1_700_000_100
MARKS = "analyzer.last_timestamp.base_names"


@pytest.fixture
def server(tmp_path, monkeypatch):
    stamps = np.arange(300) * 60 + NOW - 60 * 299
    values = np.random.default_rng(1).normal(100, 5, 300)
    values[-4] = 900
    with redis_server() as found:
        for metric in ("jobs.a", "jobs.b"):
            load(found.client, pa.table({"metric": [metric] * 300, "timestamp": stamps, "value": values}))
        monkeypatch.setenv("RIDGELINE_CONFIG", str(write_config(tmp_path, found.url, alerts=())))
        yield found


def marks(server):
    return {name.decode(): int(mark) for name, mark in server.client.hgetall(MARKS).items()}


def test_one_metric_is_judged(server):
    assert AnalyzerBatch(1).spin_batch_process(1, NOW, "metrics.jobs.a", NOW - 600) is True
    assert marks(server) == {"jobs.a": NOW}
    assert server.client.hkeys("analyzer_batch.alerts") == [f"{NOW - 180}.jobs.a".encode()]


def test_a_batch_of_metrics_is_judged_and_leaves_the_queue(server):
    server.client.sadd("analyzer.batch", str(["metrics.jobs.a", NOW - 600, None]), "other")
    batch = [["metrics.jobs.a", NOW - 600, None], ("metrics.jobs.b", NOW - 60)]
    assert AnalyzerBatch(os.getpid()).spin_batch_process(1, NOW, "batch_mode", 0, batch)
    assert marks(server) == {"jobs.a": NOW, "jobs.b": NOW}
    assert server.client.smembers("analyzer.batch") == {b"other"}


@pytest.mark.parametrize(
    "arguments",
    [
        (1, NOW, "", 5),
        (1, NOW, None, 5),
        (1, NOW, "metrics.jobs.a", "soon"),
        (1, NOW, "metrics.jobs.a", None),
        (1, "now", "metrics.jobs.a", 5),
        (1, NOW, "metrics.jobs.a", 5, ["metrics.jobs.a"]),
        (1, NOW, "metrics.jobs.a", 5, [["metrics.jobs.a"]]),
        (1, NOW, "metrics.jobs.a", 5, [["metrics.jobs.a", 1, None, 2]]),
        (1, NOW, "metrics.jobs.a", float("inf")),
    ],
)
def test_what_is_no_work_is_refused(server, arguments):
    with pytest.raises(InputError):
        AnalyzerBatch(1).spin_batch_process(*arguments)


def test_without_a_redis_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("RIDGELINE_CONFIG", str(write_config(tmp_path, f"unix://{tmp_path}/none", alerts=())))
    with pytest.raises(SourceUnavailable):
        AnalyzerBatch(1).spin_batch_process(1, NOW, "metrics.jobs.a", 5)


def test_the_thread_works_off_what_is_queued_until_its_parent_is_gone(server):
    server.client.sadd("analyzer.batch", str(["metrics.jobs.a", NOW - 600, None]))
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    try:
        worker = AnalyzerBatch(parent.pid)
        worker.start()
        until(lambda: marks(server))
        until(lambda: worker.summary is not None)
        assert (worker.summary.points, worker.summary.exit) == (10, 0)
    finally:
        parent.kill()
        parent.wait()
    worker.join(30)
    assert not worker.is_alive()


def test_a_cycle_that_fails_is_told_of(server, tmp_path, monkeypatch, capsys):
    worker = AnalyzerBatch(1)
    server.client.set("analyzer.batch", "x")
    worker._cycle()
    assert "the key analyzer.batch in Redis" in capsys.readouterr().err
    server.client.delete("analyzer.batch")
    worker._cycle()
    assert worker.summary.exit == 0


def test_the_agent_runs_until_it_is_told_to_stop(server):
    server.client.sadd("analyzer.batch", str(["metrics.jobs.a", NOW - 600, None]))
    command = [sys.executable, "-c", "from ridgeline.skyline.agent_batch import run; run()"]
    with subprocess.Popen(command, env=os.environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: marks(server) or process.poll() is not None, 60)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 143
    assert "Traceback" not in told
    assert marks(server) == {"jobs.a": NOW}
