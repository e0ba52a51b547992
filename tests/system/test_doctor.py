"""`ridgeline doctor`: green where a run goes well, red with a remedy where it would not, and nothing is changed by it."""

import json
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rigs.http import Answer
from rigs.peers import PASSWORD as PEERS_PASSWORD
from rigs.peers import Webapp, running
from rigs.redis import free_port, redis_server
from rigs.runs import write_config

from ridgeline.engine.cli.main import main
from ridgeline.io.matrix import MetricMatrix
from ridgeline.io.redis.acl import statement
from ridgeline.io.redis.write import write_matrix

PASSWORD = "s3ntinel-w0rd"


def table(metrics=40, *, end=None, points=200, counters=0):
    """A fleet whose newest points are as old as the last minute."""
    end = (int(time.time()) // 60 * 60) if end is None else end
    random = np.random.default_rng(1)
    values = [random.normal(size=points) for _ in range(metrics - counters)]
    values += [np.cumsum(random.integers(1, 9, points)).astype(float) for _ in range(counters)]
    stamps = np.arange(end - 60 * (points - 1), end + 1, 60)
    return pa.table(
        {
            "metric": np.repeat([f"m{at:03}" for at in range(metrics)], points),
            "timestamp": np.tile(stamps, metrics),
            "value": np.concatenate(values),
        }
    )


def fill(server, **options):
    write_matrix(server.client, MetricMatrix.from_table(table(**options)), mode="replace")


@pytest.fixture
def server():
    with redis_server() as running:
        yield running


def examined(capsys, config):
    """(exit code, checks by name, plan)."""
    capsys.readouterr()
    code = main(["doctor", "-c", str(config), "--json"])
    found = json.loads(capsys.readouterr().out)
    checks = {}
    for check in found["checks"]:
        assert set(check) == {"name", "status", "detail", "remedy"}
        assert bool(check["remedy"]) == (check["status"] != "green")
        checks.setdefault(check["name"], []).append(check)
    return code, checks, found["plan"]


def worst(checks):
    return {
        name: max(one["status"] for one in some) if "red" not in {one["status"] for one in some} else "red"
        for name, some in checks.items()
    }


def test_a_sound_place_is_green_and_stays_as_it_was(server, tmp_path, capsys):
    fill(server)
    before = sorted(server.client.keys())
    code, checks, plan = examined(capsys, write_config(tmp_path, server.url, alerts=[("", "console", 60)]))
    assert (code, worst(checks)) == (0, dict.fromkeys(
        ["python", "cpu", "kernels", "configuration", "algorithms", "folders", "alerts", "memory", "clock", "rights", "source", "data", "counters", "plan"], "green"
    ))  # fmt: skip
    assert plan["metrics"] == 40
    assert 0 < plan["seconds"] < 5
    assert plan["memory_bytes"] > 1 << 20
    assert plan["chunk_keys"] == 10
    assert sorted(server.client.keys()) == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("documented", [True, False])
def test_rights_are_tried(server, tmp_path, capsys, monkeypatch, documented):
    fill(server)
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", PASSWORD)
    newer = int(server.client.info()["redis_version"].partition(".")[0]) >= 7
    said = statement("run", "run", redis_7=newer).replace("PASSWORD", PASSWORD)
    server.client.execute_command(*said.split())
    if not documented:
        server.client.execute_command("ACL", "SETUSER", "run", "-hset", "-srem")
    config = write_config(tmp_path, server.url, alerts=[("", "console", 60)])
    named = '[source]\nusername = "run"\npassword_env = "RIDGELINE_TEST_PASSWORD"'
    config.write_text(config.read_text().replace("[source]", named))
    code, checks, _ = examined(capsys, config)
    if documented:
        assert (code, [one["status"] for one in checks["rights"]]) == (0, ["green"])
    else:
        assert code == 2
        (needed, spared) = checks["rights"]
        assert (needed["status"], spared["status"]) == ("red", "yellow")
        assert "send HSET" in needed["detail"]
        assert "write analyzer.boring" in spared["detail"]
    assert not list(server.client.scan_iter("ridgeline.*"))


def test_rights_that_only_save_time_are_told_apart(server, tmp_path, capsys, monkeypatch):
    fill(server)
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", PASSWORD)
    newer = int(server.client.info()["redis_version"].partition(".")[0]) >= 7
    said = statement("run", "run", redis_7=newer).replace("PASSWORD", PASSWORD)
    server.client.execute_command(*said.split())
    server.client.execute_command("ACL", "SETUSER", "run", "-getrange", "-scard")
    config = write_config(tmp_path, server.url, alerts=[("", "console", 60)])
    named = '[source]\nusername = "run"\npassword_env = "RIDGELINE_TEST_PASSWORD"'
    config.write_text(config.read_text().replace("[source]", named))
    code, checks, _ = examined(capsys, config)
    (check,) = checks["rights"]
    assert (code, check["status"]) == (0, "yellow")
    assert "count <namespace>unique_metrics, read the end of <namespace><metric>" in check["detail"]
    assert "runs read every series as a whole" in check["remedy"]


def test_rights_are_those_of_all_that_the_agent_does(server, tmp_path, capsys, monkeypatch):
    fill(server)
    monkeypatch.setenv("RIDGELINE_TEST_PASSWORD", PASSWORD)
    newer = int(server.client.info()["redis_version"].partition(".")[0]) >= 7
    for program in ("run", "batch"):  # rules add up
        said = statement(program, "all", redis_7=newer).replace("PASSWORD", PASSWORD)
        words = [word for word in said.split() if program == "run" or word not in {"resetkeys", "-@all"}]
        server.client.execute_command(*words)
    extra = "[agent]\nbatch_every = 60\nmanage_every = 300\n"
    config = write_config(tmp_path, server.url, alerts=[("", "console", 60)], extra=extra)
    named = '[source]\nusername = "all"\npassword_env = "RIDGELINE_TEST_PASSWORD"'
    config.write_text(config.read_text().replace("[source]", named))
    code, checks, _ = examined(capsys, config)
    told = {name: check["status"] for name, (check, *_) in checks.items() if name.startswith("rights")}
    assert (code, told) == (2, {"rights": "green", "rights of batch": "green", "rights of manage": "red"})
    assert "write metrics_manager.non_derivative_metrics" in checks["rights of manage"][0]["detail"]


def test_what_is_wrong_is_red_with_a_remedy(server, tmp_path, capsys):
    fill(server, end=int(time.time()) - 7200)
    blocked = tmp_path / "file"
    blocked.write_text("")
    extra = '[analysis]\nconsensus = 9\n[[override]]\nmatch = "m"\n'
    config = write_config(tmp_path, server.url, alerts=(), output="file", extra=extra)
    code, checks, _ = examined(capsys, config)
    assert code == 2
    found = worst(checks)
    assert (found["data"], found["folders"], found["alerts"]) == ("red", "red", "yellow")
    assert "2 h old" in checks["data"][0]["detail"]
    assert "is no folder" in checks["folders"][0]["detail"]


def test_counters_that_are_judged_by_value_are_told(server, tmp_path, capsys):
    fill(server, counters=4)
    code, checks, _ = examined(capsys, write_config(tmp_path, server.url, alerts=()))
    (check,) = checks["counters"]
    assert (code, check["status"]) == (0, "yellow")
    assert "4 of 40 metrics looked at only grow" in check["detail"]
    extra = '[preparation]\ncounters = "auto"\n'
    _, checks, _ = examined(capsys, write_config(tmp_path, server.url, alerts=(), extra=extra))
    assert checks["counters"][0]["status"] == "green"


def test_an_empty_and_a_missing_source_are_red(server, tmp_path, capsys):
    code, checks, plan = examined(capsys, write_config(tmp_path, server.url, alerts=()))
    assert (code, worst(checks)["source"], plan) == (2, "red", None)
    assert "lists no metric" in checks["source"][0]["detail"]
    code, checks, _ = examined(capsys, write_config(tmp_path, f"unix://{tmp_path}/none.sock", alerts=()))
    assert (code, worst(checks)["source"]) == (2, "red")
    assert "cannot reach Redis" in checks["source"][0]["detail"]


def test_a_refused_user_is_told_what_to_give(tmp_path, capsys):
    with redis_server(password="of-another") as server:
        code, checks, _ = examined(capsys, write_config(tmp_path, server.url, alerts=()))
    assert (code, worst(checks)["source"]) == (2, "red")
    assert "password_env or password_file" in checks["source"][0]["remedy"]


def test_a_parquet_source_is_looked_at_too(tmp_path, capsys):
    path = tmp_path / "fleet.parquet"
    pq.write_table(table(), path)
    code, checks, plan = examined(capsys, write_config(tmp_path, path, alerts=()))
    assert code == 0
    assert plan["metrics"] == 40
    assert {"clock", "rights"}.isdisjoint(checks)


def test_an_algorithm_that_fails_is_red(tmp_path, capsys, monkeypatch):
    path = tmp_path / "fleet.parquet"
    pq.write_table(table(), path)
    (tmp_path / "failing_for_doctor.py").write_text(
        "import ridgeline\n\n\n@ridgeline.algorithm(summary='never', min_points=5)\n"
        "def never(t, x, as_of, scratch):\n    return x[0] * float('nan')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    extra = '[analysis]\nmodules = ["failing_for_doctor"]\n'
    code, checks, _ = examined(capsys, write_config(tmp_path, path, alerts=(), extra=extra))
    assert (code, checks["algorithms"][0]["status"]) == (2, "red")
    assert "never gives no vote on a noisy sample" in checks["algorithms"][0]["detail"]


def test_lines_are_for_people(server, tmp_path, capsys):
    fill(server)
    assert main(["doctor", "-c", str(write_config(tmp_path, server.url, alerts=()))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("green   python         Python 3.")
    at = next(at for at, line in enumerate(lines) if line.startswith("yellow  alerts"))
    assert lines[at + 1].strip().startswith("-> ")


def test_remote_instances_are_asked(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PEERS", PEERS_PASSWORD)
    webapps = {
        "well": Webapp(sets={("a", 1_699_999_000): {"x": b""}}),
        "locked": Webapp(instead={"/": Answer(401, headers={"WWW-Authenticate": "Digest realm=x"})}),
        "moved": Webapp(instead={"/": Answer(301, headers={"Location": "https://elsewhere.example/"})}),
        "other": Webapp(instead={"/": Answer(body=b"<html>")}),
    }
    gone = (
        f'[[remote]]\nname = "gone"\nurl = "http://127.0.0.1:{free_port()}"\n[[remote]]\nname = "own"\nurl = "http://x"'
    )
    with running(tmp_path, f'{gone}\n[shards]\nhosts = ["own", "well"]\nhost = "own"', **webapps) as hosts:
        (tmp_path / "ridgeline.toml").write_text(hosts.text())
        assert main(["doctor", "--json", "-c", str(tmp_path / "ridgeline.toml")]) == 2
    out = capsys.readouterr().out
    assert PEERS_PASSWORD not in out
    found = [check for check in json.loads(out)["checks"] if check["name"] == "remote"]
    assert [check["status"] for check in found] == ["yellow", "green", "red", "red", "yellow"]
    says = [
        "gone",
        "lists 1 sets of training data",
        "refuses the credentials",
        "sends elsewhere (301)",
        "the JSON that Skyline",
    ]
    assert all(word in check["detail"] for word, check in zip(says, found, strict=True))
    assert all(check["remedy"] for check in found if check["status"] != "green")
