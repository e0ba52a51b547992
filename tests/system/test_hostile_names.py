"""Metrics whose names attack whatever shows or stores them, all anomalous at once, through every sink of a run."""

import ast
import json

import msgpack
import numpy as np
import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rigs.golden.receivers import receivers
from rigs.http import http_server
from rigs.redis import redis_server
from rigs.runs import END, run_json, write_config

from ridgeline.alerters.testing import HOSTILE
from ridgeline.io.text import escape

# As Redis holds them: any bytes.
STORED = [
    *(name.encode("utf-8", "surrogatepass") for name in HOSTILE),
    b"\xff\xfe",
    b"a.b",
    b"a/b",
    b"a..b",
    b"A.B",
    b"{",
    b"*",
]
NAMES = sorted(name.decode("utf-8", "backslashreplace") for name in STORED)
SHOWN = 900  # characters of a name, at least, in a line for people
EXTRA = """
[delivery]
group_above = 1000
pictures = 0
[alerters.syslog]
address = "unix://{syslog}"
[airgaps]
identify = true
[statistics]
graphite = "{carbon[0]}:{carbon[1]}"
prometheus_textfile = "{folder}/ridgeline.prom"
[log]
file = "{folder}/run.log"
[handoff]
panorama_checks = "{folder}/panorama"
crucible_checks = "{folder}/crucible"
crucible_data = "{folder}/data"
web_ui = "{folder}/anomalies.jsonp"
"""


@pytest.fixture(scope="module")
def server():
    values = np.random.default_rng(7).normal(100, 5, 300)
    values[-3:] = 400, 420, 440
    stamps = range(END - 60 * 299, END + 1, 60)
    series = b"".join(map(msgpack.packb, zip(stamps, values.tolist(), strict=True)))
    with redis_server() as running:
        for name in STORED:
            running.client.set(b"metrics." + name, series)
            running.client.sadd("metrics.unique_metrics", b"metrics." + name)
        yield running


@pytest.fixture
def played(server, tmp_path_factory, capsys):
    """One run: what it printed, what arrived, and where its files lie."""
    folder = tmp_path_factory.mktemp("hostile")
    with http_server() as http, receivers(tmp_path_factory.mktemp("r")) as (everybody, places):
        for name in ("panorama", "crucible", "data"):
            (folder / name).mkdir()
        for key in server.client.scan_iter("last_alert.*"):
            server.client.delete(key)
        config = write_config(
            folder,
            server.url,
            alerts=(("", "http|syslog|console", 60),),
            http=http,
            extra=EXTRA.format(**places, folder=folder),
        )
        code, found, errors = run_json(capsys, config)
        return code, found, errors, http.requests, everybody.syslog.drain(), folder


def test_every_sink_shows_every_name_and_is_broken_by_none(played, server):
    code, found, errors, requests, frames, folder = played
    assert code == 0, errors
    assert sorted(one["metric"] for one in found["anomalies"]) == NAMES
    assert all(line.isprintable() for line in errors.splitlines())
    assert all(escape(name)[:SHOWN] in errors for name in NAMES)
    told = [alert["metric"] for request in requests for alert in request.json["alerts"]]
    assert sorted(told) == NAMES
    assert len(frames) == len(NAMES)
    assert all(frame.isprintable() for frame in frames)
    assert all(any(f"metric: {escape(name)[:SHOWN]}" in frame for frame in frames) for name in NAMES)
    _check_files(folder / "out")
    _check_statistics(folder)
    _check_checks(folder)
    _check_keys(server.client)


def _check_files(folder):
    """The three files of a run name every metric."""
    assert sorted(one["metric"] for one in json.loads((folder / "anomalies.json").read_text())) == NAMES
    dump = (folder / "anomalies.jsonp").read_text().removeprefix("handle_data(").removesuffix(")")
    assert sorted(name for _, name, _ in json.loads(dump)) == NAMES
    assert sorted(pq.read_table(folder / "anomalies.parquet")["metric"].to_pylist()) == NAMES


def _check_statistics(folder):
    """What is counted parses, and each record of the log is one line."""
    families = list(text_string_to_metric_families((folder / "ridgeline.prom").read_text()))
    (anomalies,) = (family.samples[0].value for family in families if family.name == "ridgeline_anomalies")
    assert anomalies == len(NAMES)
    assert all(line.isprintable() for line in (folder / "run.log").read_text().splitlines())


def _check_checks(folder):
    """Each metric has its own check, whose lines are as many as for any other name; nothing lies elsewhere."""
    for name in ("panorama", "crucible"):
        checks = [path.read_bytes() for path in (folder / name).iterdir()]
        assert len(checks) == len(NAMES)
        assert len({check.count(b"\n") for check in checks}) == 1
    assert len([path for path in (folder / "data").rglob("*.json") if path.is_file()]) == len(NAMES)
    expected = {"panorama", "crucible", "data", "out", "anomalies.jsonp", "ridgeline.prom", "run.log", "ridgeline.toml"}
    assert {path.name for path in folder.iterdir()} == expected


def _check_keys(client):
    """Each alert is remembered under its own key, and the books name every metric."""
    members = client.smembers(f"analyzer.real_anomalous_metrics.{END}")
    assert sorted(ast.literal_eval(member.decode())[1] for member in members) == NAMES
    for strategy in ("http", "syslog", "console"):
        keys = {key.decode() for key in client.scan_iter(f"last_alert.{strategy}.*", count=1000)}
        assert keys == {f"last_alert.{strategy}.{name}" for name in NAMES}
