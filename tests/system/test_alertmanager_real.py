"""Alertmanager itself, and its own amtool, as Debian packages them: `make test-services` installs and runs it."""

import contextlib
import dataclasses
import json
import shutil
import socket
import subprocess
import time

import pyarrow.parquet as pq
import pytest
from rigs.runs import END, TABLE, run_json, write_config

from ridgeline.alerters import Message
from ridgeline.alerters.alertmanager import AlertmanagerSettings, build
from ridgeline.alerters.testing import ALERT, hostile, soon, storm

pytestmark = pytest.mark.services
PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    if PROGRAM is None or shutil.which("amtool") is None:
        pytest.skip("needs Alertmanager and amtool (apt-get install prometheus-alertmanager)")
    folder = tmp_path_factory.mktemp("alertmanager")
    (folder / "alertmanager.yml").write_text(CONFIG)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        PROGRAM, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
        process.kill()


def known(url):
    """Alerts that are active, as amtool sees them, by metric."""
    done = subprocess.run(
        ["amtool", "--alertmanager.url", url, "alert", "query", "-o", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {alert["labels"]["metric"]: alert for alert in json.loads(done.stdout)}


def test_an_alert_opens_repeats_and_ends(url):
    alerter = build(AlertmanagerSettings(url, labels={"team": "web"}))
    now = int(time.time())
    alert = dataclasses.replace(ALERT, timestamp=now, first_seen=now - 720, ongoing=True, expiration=3600)
    assert alerter.send(Message.of(alert), soon()).kind == "sent"
    opened = known(url)[ALERT.metric]
    assert opened["labels"]["team"] == "web"
    assert "expected 900 to 1100" in opened["annotations"]["description"]
    assert alerter.send(Message.of(dataclasses.replace(alert, value=9.0)), soon()).kind == "sent"
    again = known(url)[ALERT.metric]
    assert again["fingerprint"] == opened["fingerprint"]
    assert again["startsAt"] == opened["startsAt"]
    assert alerter.send(Message.of(alert, "resolved"), soon()).kind == "sent"
    until = time.monotonic() + 10
    while ALERT.metric in known(url) and time.monotonic() < until:
        time.sleep(0.2)
    assert ALERT.metric not in known(url)


def test_runs_keep_an_alert_open_for_as_long_as_its_anomaly_lasts(url, tmp_path, capsys):
    pq.write_table(TABLE, tmp_path / "fleet.parquet")
    extra = f'[alerters.alertmanager]\nurl = "{url}"\nlabels = {{ team = "runs" }}'
    config = write_config(tmp_path, tmp_path / "fleet.parquet", alerts=[("", "alertmanager", 600)], extra=extra)
    _, first, _ = run_json(capsys, config)
    metrics = {row["metric"] for row in first["anomalies"]}
    opened = known(url)
    assert metrics <= opened.keys()
    time.sleep(1.1)
    code, again, _ = run_json(capsys, config, as_of=END + 1)
    assert (code, again["alerts"]["sent"], again["alerts"]["suppressed"]) == (0, 0, len(metrics))
    renewed = known(url)
    for metric in metrics:
        assert renewed[metric]["endsAt"] > opened[metric]["endsAt"]
        assert renewed[metric]["startsAt"] == opened[metric]["startsAt"]
        assert renewed[metric]["fingerprint"] == opened[metric]["fingerprint"]


def test_hostile_names_and_a_storm_are_taken(url):
    alerter = build(AlertmanagerSettings(url))
    for alert in hostile():
        assert alerter.send(Message.of(dataclasses.replace(alert, expiration=3600)), soon()).kind == "sent", repr(
            alert.metric
        )
    message = storm()
    alerts = tuple(dataclasses.replace(alert, expiration=3600) for alert in message.alerts)
    assert alerter.send(dataclasses.replace(message, alerts=alerts), soon(20)).kind == "sent"
    assert len(known(url)) > 1000
