"""`ridgeline.skyline.analyzer` and the agents: threads over a real Redis, parents that die, signals."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, FLEET, load, received, write_config
from rigs.waiting import until

from ridgeline.io.errors import InputError, OutputError
from ridgeline.skyline import _worker, agent, agent_batch, analyzer, metrics_manager
from ridgeline.skyline.analyzer import Analyzer
from ridgeline.skyline.analyzer_batch import AnalyzerBatch

pytestmark = pytest.mark.usefixtures("nowhere")
WORKERS = (Analyzer, AnalyzerBatch, metrics_manager.Metrics_Manager)
BROKEN = "[analysis]\nconsensus = 99\n"


@pytest.fixture
def sleeper():
    """A process that does nothing; `kill` and `wait` for it, else the test's end does."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def server():
    with redis_server() as found:
        load(found.client, shifted(int(time.time())))
        yield found


def shifted(end):
    """The fleet's table as if its newest points were of `end`."""
    table = FLEET.table()
    place = table.column_names.index("timestamp")
    return table.set_column(place, "timestamp", [[t + end - END for t in table["timestamp"].to_pylist()]])


def configure(tmp_path, monkeypatch, url, **options):
    monkeypatch.setenv("RIDGELINE_CONFIG", str(write_config(tmp_path, url, **options)))


# Parents.


@pytest.mark.parametrize("kind", WORKERS)
def test_a_worker_exits_when_its_parent_is_gone(kind, sleeper):
    worker = kind(sleeper.pid)
    assert (worker.parent_pid, worker.daemon) == (sleeper.pid, True)
    worker.check_if_parent_is_alive()
    sleeper.kill()
    sleeper.wait()
    with pytest.raises(SystemExit) as caught:
        worker.check_if_parent_is_alive()
    assert caught.value.code == 0


def test_a_parent_of_another_user_is_alive(monkeypatch):
    def denied(pid, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", denied)
    Analyzer(1).check_if_parent_is_alive()


@pytest.mark.parametrize("pid", [0, -1, None, "1", 1.5])
def test_what_is_no_process_is_refused(pid):
    for kind in WORKERS:
        with pytest.raises(InputError, match="parent_pid is"):
            kind(pid)


def test_a_number_beyond_all_processes_is_gone():
    with pytest.raises(SystemExit):
        Analyzer(2**70).check_if_parent_is_alive()


# Datapoints.


def test_exact_repeats_are_dropped_and_order_is_kept():
    nan, other = float("nan"), float("nan")
    series = [(3, 1.0), (1, 2.0), (3, 1.0), (3, 2.0), [1, 2.0], (1, 2), (5, nan), (5, other), (5, None), (1, 2.0, 0)]
    unique = Analyzer(1).uniq_datapoints(series)
    assert unique == [(3, 1.0), (1, 2.0), (3, 2.0), (5, nan), (5, None), (1, 2.0, 0)]
    assert type(unique[1][1]) is float, "the first of equal points stays"
    assert Analyzer(1).uniq_datapoints([]) == []
    assert Analyzer(1).uniq_datapoints(iter([(1, 2.0), (1, 2.0)])) == [(1, 2.0)]
    with pytest.raises(InputError, match="is no series"):
        Analyzer(1).uniq_datapoints(None)
    for wrong in ([1, 2], [(1, [2])], [None]):
        with pytest.raises(InputError, match="item 0 of the series"):
            Analyzer(1).uniq_datapoints(wrong)


# Judging, alerting.


def test_a_process_judges_its_metrics_and_touches_nothing(server, tmp_path, monkeypatch):
    with http_server() as http:
        configure(tmp_path, monkeypatch, server.url, http=http)
        before = server.client.dbsize()
        names = [f"metrics.{name}" for name in FLEET.metrics[:50]]
        report = Analyzer(1).spin_process(1, names)
        assert (report.metrics, report.exit) == (50, 0)
        assert {row.metric for row in report.anomalies} <= set(FLEET.metrics[:50])
        as_bytes = Analyzer(1).spin_process(1, [name.encode() for name in names])
        assert [row.metric for row in as_bytes.anomalies] == [row.metric for row in report.anomalies]
        assert Analyzer(1).spin_process(1, FLEET.metrics).anomalies
        assert Analyzer(1).spin_process(2, names).metrics == 0
        none = Analyzer(1).spin_process(1, ["metrics.not.there"])
        assert (none.metrics, none.exit) == (0, 66)
        assert "lists none of the 1 metrics asked for" in none.problems[0]
        assert not http.requests
    assert server.client.dbsize() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("metrics", [None, 5, "metrics.a", b"metrics.a"])
def test_what_are_no_names_is_refused(metrics):
    with pytest.raises(InputError, match=r"^unique_metrics is .*: give a list of names$"):
        Analyzer(1).spin_process(1, metrics)


def test_an_alert_is_sent_at_a_word(tmp_path, monkeypatch):
    with http_server() as http:
        configure(tmp_path, monkeypatch, "redis://127.0.0.1:1", http=http)
        outcome = Analyzer(1).spawn_alerter_process(("app", "http", 60), (1.0, "app.x", 5), "Analyzer")
        assert outcome.kind == "sent"
        assert received(http) == ["app.x"]


def test_it_analyses_each_period_until_its_parent_is_gone(server, tmp_path, monkeypatch, sleeper, capsys):
    monkeypatch.setattr(analyzer, "PERIOD", 0.2)
    with http_server() as http:
        configure(tmp_path, monkeypatch, server.url, http=http)
        worker = Analyzer(sleeper.pid)
        worker.start()
        until(lambda: worker.report is not None)
        first = worker.report
        told = sorted(received(http))
        assert told == sorted(row.metric for row in first.anomalies)
        assert told
        until(lambda: worker.report is not first)
        assert worker.report.exit == 0
        assert len(received(http)) == len(told), "what was told is quiet for an hour"
        sleeper.kill()
        sleeper.wait()
        worker.join(60)
        assert not worker.is_alive()
    assert (tmp_path / "out").is_dir()
    assert "bug" not in capsys.readouterr().err


def test_a_cycle_that_fails_costs_no_other(server, tmp_path, monkeypatch, sleeper, capsys):
    monkeypatch.setattr(analyzer, "PERIOD", 0.2)
    heard = []
    monkeypatch.setattr(_worker, "say", lambda sentence: heard.append(str(sentence)))
    configure(tmp_path, monkeypatch, "redis://127.0.0.1:1", alerts=())
    path = tmp_path / "ridgeline.toml"
    worker = Analyzer(sleeper.pid)
    worker.start()
    until(lambda: any("cannot reach Redis" in sentence for sentence in heard))
    assert worker.report is None
    write_config(tmp_path, server.url, alerts=())
    until(lambda: worker.report is not None)
    path.write_text(BROKEN)
    until(lambda: any("stays in force" in sentence for sentence in heard))
    found = worker.report
    until(lambda: worker.report is not found)
    monkeypatch.setattr("ridgeline.engine.run.once.run_once", lambda request: 1 / 0)
    until(lambda: any("a bug: ZeroDivisionError" in sentence for sentence in heard))
    assert worker.is_alive()
    sleeper.kill()
    sleeper.wait()
    worker.join(60)
    assert not worker.is_alive()


def test_a_first_configuration_that_cannot_be_read_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "ridgeline.toml").write_text(BROKEN)
    worker = Analyzer(os.getpid())
    worker._cycle()
    assert capsys.readouterr().err.startswith("ridgeline: ")
    assert worker.report is None


# Agents.


def test_agents_check_that_every_algorithm_votes(tmp_path, monkeypatch):
    (tmp_path / "silent_votes.py").write_text(
        "import math\nimport ridgeline\n"
        '@ridgeline.algorithm(summary="Never.")\ndef never(t, x, as_of, scratch):\n    return math.nan\n'
        '@ridgeline.algorithm(summary="Raises.")\ndef breaks(t, x, as_of, scratch):\n'
        "    if len(t) > 1:\n        raise ValueError('no')\n    return 0.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "ridgeline.toml").write_text(
        '[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1"\n[analysis]\nmodules = ["silent_votes"]\n'
    )
    for found in (agent, agent_batch):
        with pytest.raises(
            InputError, match=r"^breaks gives no vote on a noisy sample: .* raised ValueError: no"
        ) as caught:
            found.run()
        assert "; never gives no vote on a noisy sample (" in str(caught.value)
        assert "Complaint" not in str(caught.value)


@pytest.mark.parametrize("kind", [agent.AnalyzerAgent, agent_batch.AnalyzerBatchAgent])
def test_agents_see_to_their_folders(kind, tmp_path):
    (tmp_path / "ridgeline.toml").write_text(
        f'[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1"\n[output]\ndirectory = "{tmp_path / "a" / "b"}"\n'
    )
    kind()
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "a" / "b").rmdir()
    (tmp_path / "a" / "b").write_text("")
    with pytest.raises(OutputError, match=r"^\[output\] directory .*b is no folder"):
        kind()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_agent_runs_until_it_is_told_to_stop(server, tmp_path, number):
    with http_server() as http:
        config = write_config(tmp_path, server.url, http=http)
        command = [sys.executable, "-c", "from ridgeline.skyline.agent import run; run()"]
        environ = {**os.environ, "RIDGELINE_CONFIG": str(config)}
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
            try:
                until(lambda: http.requests or process.poll() is not None)
                process.send_signal(number)
                _, told = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 128 + number
    assert "Traceback" not in told
    assert received(http)


def test_importing_the_agent_starts_nothing():
    code = """
        import threading, ridgeline.skyline.agent, ridgeline.skyline.agent_batch
        print(threading.active_count())
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout == "1\n"
