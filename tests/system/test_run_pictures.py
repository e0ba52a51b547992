"""`ridgeline run` with pictures: they arrive where people look, and no alert ever waits for one that does not come."""

import contextlib
import re
import subprocess
import sys

import psutil
import pyarrow.parquet as pq
import pytest
from rigs.http import http_server
from rigs.pixels import BLUE, RED, pixels, places
from rigs.runs import TABLE, received, run_json, start, write_config
from rigs.smtp import smtp_server

from ridgeline.engine.report import drawings
from ridgeline.engine.run import gallery

pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
MAIL = """
[alerters.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "ridgeline@example.com"
default_recipients = ["ops@example.com"]
[delivery]
pictures = {pictures}
group_above = 1000
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "fleet.parquet"
    pq.write_table(TABLE, path)
    return path


@pytest.fixture
def patient(monkeypatch):
    """On a busy machine a picture may take longer than a run waits for it."""
    monkeypatch.setattr(gallery, "LONGEST", 60.0)


@contextlib.contextmanager
def mails(tmp_path, data, pictures=3, alerts=(("", "smtp", 3600),), **more):
    """A mailbox, and a configuration that mails there."""
    with smtp_server() as box:
        yield (
            box,
            write_config(tmp_path, data, alerts=alerts, extra=MAIL.format(port=box.port, pictures=pictures), **more),
        )


def attached(mail):
    """PNG bytes by Content-ID, of the pictures within the mail."""
    return {
        part["Content-ID"].strip("<>"): part.get_content() for part in mail.walk() if part.get_content_type() == "image/png"
    }  # fmt: skip


@pytest.mark.usefixtures("patient")
def test_the_top_alerts_arrive_with_their_pictures_inside(tmp_path, data, capsys):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    with mails(tmp_path, data, deadline=240) as (box, config):
        code, found, errors = run_json(capsys, config)
        assert (code, found["alerts"]["sent"], found["alerts"]["messages"]) == (0, len(found["anomalies"]), 1)
    assert "picture" not in errors
    (mail,) = box.mails
    pictures = attached(mail)
    page = mail.get_body(("html",)).get_content()
    assert re.findall('src="cid:([^"]+)"', page) == list(pictures)
    assert len(pictures) == 3
    for png in pictures.values():
        image = pixels(png)
        assert image.shape[1] == 880
        assert len(places(image, BLUE, 60)[0]) > 300, "a series"
        assert len(places(image, RED, 40)[0]) > 40, "whose end is marked"
    top = min(found["anomalies"], key=lambda one: -one["votes"])["votes"]
    shown = re.findall(r"<li[^>]*><b>([^<]+)</b>(.*?)</li>", page, re.DOTALL)
    with_picture = [name for name, rest in shown if "cid:" in rest]
    votes = {one["metric"]: one["votes"] for one in found["anomalies"]}
    assert with_picture == [name for name, _ in shown][:3], "the first ones"
    assert votes[with_picture[0]] == top


@pytest.mark.usefixtures("patient")
def test_beside_the_mail_other_channels_go_on_as_ever(tmp_path, data, capsys):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    with (
        http_server() as http,
        mails(tmp_path, data, 1, (("", "smtp|http", 3600),), http=http, deadline=240) as (box, config),
    ):
        code, found, _ = run_json(capsys, config)
        metrics = {one["metric"] for one in found["anomalies"]}
        assert set(received(http)) == metrics
        assert b"PNG" not in b"".join(request.body for request in http.requests)
    assert (code, found["alerts"]["sent"]) == (0, 2 * len(metrics))
    assert len(attached(box.mails[0])) == 1


def test_a_second_run_draws_nothing_for_alerts_that_are_suppressed(tmp_path, data, capsys, monkeypatch):
    with mails(tmp_path, data, 1) as (box, config):
        assert run_json(capsys, config)[0] == 0
        monkeypatch.setattr(drawings.Drawings, "draw", lambda *_: pytest.fail("it draws"))
        code, found, _ = run_json(capsys, config)
    assert (code, found["alerts"]["sent"], len(box.mails)) == (0, 0, 1)


@pytest.mark.parametrize("body", ["def main(request): time.sleep(600)", "raise MemoryError"])
def test_a_drawing_that_hangs_or_fails_costs_the_alerts_nothing_but_its_time(tmp_path, data, capsys, monkeypatch, body):
    name = f"painter_of_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(f"import time\n{body}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(drawings, "PAINTER", name)
    monkeypatch.setattr(gallery, "LONGEST", 1.0)
    with mails(tmp_path, data) as (box, config):
        code, found, errors = run_json(capsys, config)
    assert (code, found["alerts"]["sent"]) == (0, len(found["anomalies"]))
    assert attached(box.mails[0]) == {}
    assert found["anomalies"][0]["metric"] in box.texts[0]
    assert errors.count("alerts went out without some pictures: ") == 1
    assert found["seconds"]["alert"] < 30, "not the 600 s that it hangs"
    assert not [one for one in psutil.Process().children() if name in " ".join(one.cmdline())]


def test_without_matplotlib_alerts_go_out_and_the_summary_says_what_to_install(tmp_path, data):
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "matplotlib.py").write_text("raise ImportError('blocked')\n")
    with mails(tmp_path, data) as (box, config):
        process = start(config, "--json", env={"PYTHONPATH": str(blocked)})
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert attached(box.mails[0]) == {}
    (line,) = [line for line in errors.splitlines() if "picture" in line]
    assert "pip install 'ridgeline[plot]'" in line


@pytest.mark.parametrize(("pictures", "strategy"), [(0, "smtp"), (3, "console")])
def test_where_none_is_wanted_no_series_is_kept_and_no_process_started(
    tmp_path, data, capsys, monkeypatch, pictures, strategy
):
    monkeypatch.setitem(sys.modules, "ridgeline.engine.run.gallery", None)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a process was started"))
    with mails(tmp_path, data, pictures, (("", strategy, 3600),)) as (box, config):
        code, found, errors = run_json(capsys, config)
    assert (code, found["alerts"]["sent"]) == (0, len(found["anomalies"]))
    assert "went out without" not in errors
    assert len(box.mails) == (strategy == "smtp")


def test_a_dry_run_draws_nothing(tmp_path, data, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ridgeline.engine.run.gallery", None)
    with mails(tmp_path, data) as (box, config):
        assert run_json(capsys, config, "--dry-run")[0] == 0
    assert box.mails == []
