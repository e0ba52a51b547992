"""`get_remote_data` and `sync_cluster_files` under Skyline's own names: what another host has, or nothing and a sentence."""

import base64
import subprocess
import time

import pytest
from rigs.http import Answer, http_server
from rigs.peers import PASSWORD, Webapp, as_json, running

from ridgeline.alerters.testing.tls import Authority
from ridgeline.engine.remote.tally import Synced
from ridgeline.io.errors import InputError
from ridgeline.skyline import metrics_manager
from ridgeline.skyline.metrics_manager import Metrics_Manager

SET = ("web.host01.cpu", 1_699_999_000)
LISTING = "api?training_data"


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No configuration but the one that a test writes."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("RIDGELINE_CONFIG", raising=False)
    monkeypatch.setenv("PEERS", PASSWORD)


@pytest.fixture
def manager():
    return Metrics_Manager(1)


def test_the_data_that_is_required(manager, capsys):
    webapp = Webapp(sets={SET: {"x": b"one"}})
    with http_server(webapp) as server:
        for url in (server.url, server.url.rstrip("/")):
            instance = [url, "admin", PASSWORD, "skyline-2"]
            assert manager.get_remote_data(instance, "metrics", LISTING) == [list(SET)]
    pair = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    assert [headers["authorization"] for headers in webapp.headers] == [f"Basic {pair}"] * 2
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("credentials", [[None, None], ["", ""], ["admin", None], [None, "x"], []])
def test_without_credentials_none_are_sent(manager, credentials):
    webapp = Webapp()
    with http_server(webapp) as server:
        assert manager.get_remote_data([server.url, *credentials], "metrics", LISTING) == []
    assert "authorization" not in webapp.headers[0]


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        ("a b\u00e9", "/a%20b%C3%A9"),
        ("x%20y?q=a+b&c={d}", "/x%20y?q=a+b&c=%7Bd%7D"),
        ("x HTTP/1.1\r\nHost: evil\r\n\r\n", "/x%20HTTP/1.1%0D%0AHost:%20evil%0D%0A%0D%0A"),
    ],
)
def test_an_endpoint_stays_on_its_line(manager, endpoint, asked):
    webapp = Webapp(instead={"/": as_json(metrics=[1])})
    with http_server(webapp) as server:
        assert manager.get_remote_data([server.url], "metrics", endpoint) == [1]
    assert webapp.asked == [asked]


FAILURES = {
    "an error": Answer(500, body=b'{"data": {"metrics": [1]}}'),
    "not there": Answer(404),
    "no json": Answer(body=b"<html>"),
    "another key": as_json(files={}),
    "refused": Answer(401, headers={"WWW-Authenticate": f"Basic realm={PASSWORD}"}),
    "a redirect": Answer(302, headers={"Location": "http://elsewhere.example/"}),
    "half": Answer(body=b'{"data"', headers={"Content-Length": 900}),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_a_failure_is_nothing_and_one_sentence_without_secrets(manager, answer, tmp_path, capsys):
    with http_server(answer) as server:
        instance = [server.url, "admin", PASSWORD, "skyline-2"]
        assert manager.get_remote_data(instance, "metrics", LISTING) == []
    said = capsys.readouterr().err
    assert said.startswith('ridgeline: get_remote_data: "skyline-2" at http://127.0.0.1:')
    assert said.count("\n") == 1
    assert PASSWORD not in said


@pytest.mark.parametrize(
    "instance", [None, "http://127.0.0.1", [], [7], ["ftp://x"], ["http://u:p@x"], ["http://127.0.0.1:1"]]
)
def test_what_is_no_instance_is_told(manager, instance, capsys):
    assert manager.get_remote_data(instance, "metrics", LISTING) == []
    assert manager.get_remote_data(instance, "metrics", LISTING, save_file="file") is False
    assert capsys.readouterr().err.count("ridgeline: get_remote_data: ") == 2


def test_an_answer_as_a_file_whole_or_not_at_all(manager, tmp_path, capsys):
    with http_server(Answer(body=b"whole")) as server:
        assert (
            manager.get_remote_data([server.url], None, "ionosphere_file?file=/x", save_file=str(tmp_path / "f"))
            is True
        )
        assert manager.get_remote_data([server.url], None, "x", save_file=tmp_path / "no" / "f") is False
        assert manager.get_remote_data([server.url], None, "x", save_file=True) is False
    with http_server(Answer(body=b"ha", headers={"Content-Length": 9})) as server:
        assert manager.get_remote_data([server.url], None, "x", save_file=str(tmp_path / "f")) is False
    assert (tmp_path / "f").read_bytes() == b"whole"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f", "here"]
    assert capsys.readouterr().err.count("\n") == 3


def test_the_authorities_are_those_of_the_configuration(manager, tmp_path, capsys):
    authority = Authority(tmp_path)
    text = f'[source]\nkind = "parquet"\npath = "x"\n[[remote]]\nname = "skyline-2"\nurl = "https://x"\nca_file = "{authority.ca_file}"\n'
    (tmp_path / "here" / "ridgeline.toml").write_text(text)
    with http_server(Webapp(sets={SET: {}}), context=authority.good()) as server:
        assert manager.get_remote_data([server.url, None, None, "skyline-2"], "metrics", LISTING) == [list(SET)]
        assert manager.get_remote_data([server.url, None, None, "skyline-3"], "metrics", LISTING) == []
    assert "certificate we cannot trust" in capsys.readouterr().err


def test_a_cluster_is_synced(manager, tmp_path, capsys):
    a, b = Webapp(sets={SET: {"x": b"one"}}), Webapp(instead={"/": Answer(503)})
    with running(tmp_path, a=a, b=b) as hosts:
        (tmp_path / "here" / "ridgeline.toml").write_text(hosts.text())
        assert manager.sync_cluster_files(0) is None
        assert list(hosts.there().values()) == [b"one"]
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith('ridgeline: sync_cluster_files: "b" at ')
    assert said.endswith("answered 503 to api?training_data")


def test_no_cluster_is_told(manager):
    with pytest.raises(InputError, match="to fetch from"):
        manager.sync_cluster_files(0)


def test_the_thread_manages_and_syncs_until_its_parent_is_gone(tmp_path, monkeypatch, capsys):
    passes = []
    monkeypatch.setattr(metrics_manager, "PERIOD", 0.4)
    monkeypatch.setattr(metrics_manager, "SYNC", 0.1)
    monkeypatch.setattr("ridgeline.engine.manage.once.manage_once", lambda request: passes.append(request) or Synced())
    parent = subprocess.Popen(["sleep", "300"])
    a = Webapp(sets={SET: {"x": b"one"}})
    try:
        with running(tmp_path, a=a) as hosts:
            (tmp_path / "here" / "ridgeline.toml").write_text(hosts.text())
            manager = Metrics_Manager(parent.pid)
            manager.start()
            end = time.monotonic() + 60
            while a.asked.count(f"/{LISTING}") < 6 and time.monotonic() < end:
                time.sleep(0.05)
            parent.kill()
            parent.wait(60)
            manager.join(60)
            assert not manager.is_alive()
            assert list(hosts.there().values()) == [b"one"]
    finally:
        parent.kill()
        parent.wait(60)
    assert 1 <= len(passes) < a.asked.count(f"/{LISTING}")
    assert capsys.readouterr().err == ""
