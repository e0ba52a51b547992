"""`ridgeline remote sync` as users start it: over Redis, with rights of its own, killed in the middle."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest
from rigs.http import Answer
from rigs.peers import PASSWORD, Webapp, running
from rigs.redis import redis_server

from ridgeline.engine.cli.main import main
from ridgeline.io.redis.acl import statement

SET = ("web.host01.cpu", 1_699_999_000)
FOLDER = "/opt/skyline/ionosphere/data/1699999000/web/host01/cpu"
HERE = "data/1699999000/web/host01/cpu"
MARK = "analyzer.metrics_manager.training_data_fetched"
FOLDERS = "analyzer.metrics_manager.local_features_profile_dirs"
REDIS_PASSWORD = "s3ntinel-w0rd"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("PEERS", PASSWORD)
    monkeypatch.setenv("REDIS", REDIS_PASSWORD)


def written(hosts, source='kind = "parquet"\npath = "none.parquet"'):
    path = hosts.folder / "ridgeline.toml"
    path.write_text(hosts.text(source))
    return str(path)


def test_a_sync_over_redis_with_the_documented_rights(tmp_path, root, capsys):
    (documented,) = re.findall(r"```\n(ACL SETUSER .*?)\n```", (root / "docs" / "remote.md").read_text(), re.DOTALL)
    assert documented == statement("manage", "ridgeline-remote", features={"remote"})
    young = ("web.host05.cpu", int(time.time()) - 30)
    profile = ("web.host01.cpu", 1_699_990_000, {"f.csv": b"features"})
    a = Webapp(sets={SET: {"x": b"one"}, young: {"y": b"two"}, ("ours", SET[1]): {"z": b"z"}}, profiles={"7": profile})
    with redis_server() as redis, running(tmp_path, a=a) as hosts:
        if int(redis.client.info()["redis_version"].partition(".")[0]) < 7:
            documented = documented.replace("%R~", "~")
        redis.client.execute_command(*documented.replace("PASSWORD", REDIS_PASSWORD).split())
        redis.client.sadd("ionosphere.training_data", f"['ours', {SET[1]}, 86400]", "no member of ours", "['", b"\xff")
        redis.client.hset(f"{FOLDERS}.to_update", mapping={"7": "/somewhere", "8": "/elsewhere"})
        source = f'url = "{redis.url}"\nusername = "ridgeline-remote"\npassword_env = "REDIS"'
        config = written(hosts, source)
        assert main(["remote", "sync", "-c", config, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["files"], found["exit"], found["problems"]) == (3, 0, [])
        assert found["peers"][0]["name"] == "a"
        old, new = (f"{MARK}.{metric}.{timestamp}" for metric, timestamp in (SET, young))
        assert 259_100 < redis.client.ttl(old) <= 259_200
        assert 800 < redis.client.ttl(new) <= 900
        folder = "/opt/skyline/ionosphere/features_profiles/web/host01/cpu/1699990000"
        there = f"{tmp_path}/files/features_profiles/web/host01/cpu/1699990000"
        assert redis.client.hgetall(FOLDERS) == {folder.encode(): there.encode()}
        assert redis.client.hgetall(f"{FOLDERS}.to_update") == {b"8": b"/elsewhere"}
        a.asked.clear()
        assert main(["remote", "sync", "-c", config]) == 0
        assert a.asked == ["/api?training_data", "/api?expected_features_profiles_dir"]
        assert capsys.readouterr().out == "a: ok, 0 files (0 bytes) of 0 whole sets\n"
        (tmp_path / "files" / HERE / "x").unlink()
        (tmp_path / "files" / HERE).rmdir()  # whatever is noted: it is not here
        assert main(["remote", "sync", "-q", "-c", config]) == 0
        assert (tmp_path / "files" / HERE / "x").read_bytes() == b"one"


def test_what_is_here_is_noted_also_when_the_time_is_over(tmp_path):
    a = Webapp(sets={SET: {"x": b"one"}, ("slow", SET[1]): {"y": b"two"}})
    a.instead = {"/ionosphere_files?source=training_data&metric=slow": Answer(silent=True)}
    with redis_server() as redis, running(tmp_path, a=a) as hosts:
        config = written(hosts, f'url = "{redis.url}"')
        assert main(["remote", "sync", "-q", "-c", config, "--for", "2s"]) == 70
        assert [key.decode() for key in redis.client.keys(f"{MARK}*")] == [f"{MARK}.{SET[0]}.{SET[1]}"]
        assert redis.client.hlen("ridgeline.remote") == 1


def test_what_is_not_to_be_trained_on_is_asked_for_where_it_is_kept(tmp_path):
    with redis_server() as redis, running(tmp_path, a=Webapp(sets={SET: {"x": b"one"}})) as hosts:
        redis.client.sadd("ionosphere.training_data_with_do_not_train", f"['{SET[0]}', {SET[1]}, 86400, True]")
        assert main(["remote", "sync", "-q", "-c", written(hosts, f'url = "{redis.url}"')]) == 0
        assert hosts.webapps["a"].asked[0] == "/api?training_data&do_not_train=true"
        assert hosts.there() == {}


@pytest.mark.parametrize("held", ["head", "body"])
def test_a_sync_that_is_killed_leaves_no_half_file_and_is_taken_up(tmp_path, held):
    hung = threading.Event()
    whole = bytes(range(256)) * 4000

    def slowly(_):
        hung.set()
        if held == "head":
            return Answer(silent=True)
        return Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 1024000\r\n\r\n" + whole[:500_000], hold=True)

    a = Webapp(
        sets={SET: {"first": b"one", "last": whole}}, instead={"/ionosphere_file?file=" + FOLDER + "/last": slowly}
    )
    with running(tmp_path, a=a) as hosts:
        config = written(hosts)
        command = [sys.executable, "-m", "ridgeline", "remote", "sync", "-c", config]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert hung.wait(60)
            time.sleep(0.5)
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(60)
        assert hosts.there() == {f"{HERE}/first": b"one"}
        assert {path.name for path in (tmp_path / "files").rglob("*")} == {"data", *HERE.split("/")[1:], "first"}
        a.instead.clear()
        a.asked.clear()
        assert main(["remote", "sync", "-q", "-c", config]) == 0
        assert hosts.there() == {f"{HERE}/first": b"one", f"{HERE}/last": whole}
        assert [target.rpartition("/")[2] for target in a.asked if "file?" in target] == ["last"]


def test_what_is_wrong_is_said_in_one_line_each_without_secrets(tmp_path, capsys):
    a = Webapp(sets={SET: {"x": b"one"}}, paths={"e\x1b[2Jvil": "/etc/\x1b[2Jpasswd"})
    b = Webapp(instead={"/": Answer(401, headers={"WWW-Authenticate": f"Digest {PASSWORD}"})})
    with running(tmp_path, a=a, b=b) as hosts:
        assert main(["remote", "sync", "-c", written(hosts)]) == 70
        out, err = capsys.readouterr()
    assert PASSWORD not in out + err
    assert "\x1b" not in out + err
    first, second = err.splitlines()
    assert first.startswith('ridgeline: "a" at http://127.0.0.1:')
    assert first.endswith(r"lists /etc/\x1b[2Jpasswd, which is refused: outside")
    assert "it asks for another authentication than Basic" in second
    assert out.splitlines() == [
        "a: partial, 1 files (3 bytes) of 0 whole sets, 1 outside",
        "b: unauthorised, 0 files (0 bytes) of 0 whole sets, 1 unauthorised",
    ]


def test_nobody_to_ask(tmp_path, capsys):
    (tmp_path / "ridgeline.toml").write_text(
        '[source]\nkind = "parquet"\npath = "x"\n[remote_files]\ndirectory = "f"\n'
    )
    assert main(["remote", "sync", "-c", str(tmp_path / "ridgeline.toml")]) == 2
    assert capsys.readouterr().err == "ridgeline: there is no [[remote]] to fetch from\n"
