"""Channels as a configuration file sets them up, those settings above all that are tables of their own; one run each."""

import contextlib
from urllib.parse import parse_qs, quote

import pyarrow.parquet as pq
import pytest
from rigs.http import Answer, http_server
from rigs.runs import END, TABLE, run_json, write_config
from rigs.smtp import smtp_server

from ridgeline.alerters import dedup_key
from ridgeline.engine.cli.main import main
from ridgeline.engine.demo.fleet import build_fleet

LINKS = '[links]\ngraph = "https://g.example/?target={metric}&from={from}&until={until}"\n'
ACCEPTED = Answer(
    200,
    {"Content-Type": "text/xml", "Connection": "close"},
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId>'
    b"</PublishResult><ResponseMetadata><RequestId>2</RequestId></ResponseMetadata></PublishResponse>",
)


@pytest.fixture
def fleet(tmp_path):
    pq.write_table(TABLE, tmp_path / "fleet.parquet")
    return tmp_path / "fleet.parquet"


def ran(capsys, config, as_of=END):
    """The metrics that the run found anomalous; all that it sent arrived."""
    code, found, said = run_json(capsys, config, as_of=as_of)
    assert (code, said) == (0, "")
    return sorted(row["metric"] for row in found["anomalies"])


@contextlib.contextmanager
def first(tmp_path, fleet, capsys):
    """The anomalies of the fleet, found by a run of its own."""
    with http_server() as http:
        yield ran(capsys, write_config(tmp_path, fleet, http=http, output="before"))


def test_mails_go_to_all_whose_patterns_match_and_else_to_the_defaults(tmp_path, fleet, capsys):
    with first(tmp_path, fleet, capsys) as metrics, smtp_server() as box:
        one = metrics[0]
        extra = f"""
            [alerters.smtp]
            host = "127.0.0.1"
            port = {box.port}
            security = "none"
            sender = "ridgeline@example.org"
            default_recipients = ["all@example.org"]
            [alerters.smtp.recipients]
            "{one}" = ["one@example.org", "both@example.org"]
            '{one[:-1]}.$' = ["both@example.org", "two@example.org"]
            [delivery]
            pictures = 0
        """
        ran(capsys, write_config(tmp_path, fleet, alerts=[("", "smtp", 60)], extra=extra))
    assert sorted(envelope.rcpt_tos for envelope in box.envelopes) == [
        ["all@example.org"], ["one@example.org", "both@example.org", "two@example.org"],
    ], "of one rule, one mail for each circle of people"  # fmt: skip


def test_texts_go_to_the_numbers_of_all_patterns_that_match(tmp_path, fleet, capsys, monkeypatch):
    pytest.importorskip("boto3")
    for name, value in (("ACCESS_KEY_ID", "A"), ("SECRET_ACCESS_KEY", "B"), ("EC2_METADATA_DISABLED", "true")):
        monkeypatch.setenv(f"AWS_{name}", value)
    with first(tmp_path, fleet, capsys) as metrics, http_server(ACCEPTED) as sns:
        extra = f"""
            [alerters.sms]
            region = "eu-west-1"
            endpoint_url = "{sns.url}"
            default_recipients = ["+34600000009"]
            recipients = {{ "{metrics[0]}" = ["+34600000001"], "{metrics[0][:-1]}" = ["+34600000002"] }}
        """
        alerts = [(metrics[0], "sms", 60), (metrics[-1], "sms", 60)]
        ran(capsys, write_config(tmp_path, fleet, alerts=alerts, extra=extra))
    told = [parse_qs(request.body.decode()) for request in sns.requests]
    numbers = {metric: {one["PhoneNumber"][0] for one in told if metric in one["Message"][0]} for metric in metrics}
    assert numbers[metrics[0]] == {"+34600000001", "+34600000002"}
    assert numbers[metrics[-1]] == {"+34600000009"}


def test_labels_and_links_reach_alertmanager(tmp_path, fleet, capsys):
    with http_server() as http:
        extra = f'{LINKS}[alerters.alertmanager]\nurl = "{http.url}"\nlabels = {{ team = "web", "tier" = "2" }}\n'
        metrics = ran(capsys, write_config(tmp_path, fleet, alerts=[("", "alertmanager", 60)], extra=extra))
    (request,) = http.requests
    assert sorted(alert["labels"]["metric"] for alert in request.json) == metrics
    for alert in request.json:
        assert (alert["labels"]["team"], alert["labels"]["tier"]) == ("web", "2")
        metric = quote(alert["labels"]["metric"], safe="")
        assert alert["generatorURL"] == f"https://g.example/?target={metric}&from={END - 86400}&until={END}"
        assert alert["annotations"]["link_graph"] == alert["generatorURL"]


def test_links_reach_a_webhook(tmp_path, fleet, capsys):
    with http_server() as http:
        metrics = ran(capsys, write_config(tmp_path, fleet, http=http, extra=LINKS))
    alerts = [alert for request in http.requests for alert in request.json["alerts"]]
    assert sorted(alert["metric"] for alert in alerts) == metrics
    assert {alert["links"]["graph"].partition("&")[0] for alert in alerts} == {
        f"https://g.example/?target={quote(metric, safe='')}" for metric in metrics
    }


def test_pagerduty_closes_a_storm_when_its_last_member_is_normal(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PD", "k3y")
    path, calm = tmp_path / "fleet.parquet", build_fleet(120, points=300, end=END, incidents=0)
    with http_server(Answer(202)) as pd:
        extra = f'[alerters.pagerduty]\nrouting_key_env = "PD"\napi_url = "{pd.url}v2/enqueue"\n[delivery]\ngroup_above = 2\n'
        config = write_config(tmp_path, path, alerts=[("", "pagerduty", 3600)], extra=extra)
        for minute in range(5):
            table = TABLE if minute == 0 else calm.table()
            stamps = [stamp + 60 * minute for stamp in table["timestamp"].to_pylist()]
            pq.write_table(table.set_column(1, "timestamp", [stamps]), path)
            metrics = ran(capsys, config, END + 60 * minute)
            assert bool(metrics) == (minute == 0)
    events = [(request.json["event_action"], request.json["dedup_key"]) for request in pd.requests]
    assert events == [("trigger", dedup_key("pagerduty", "")), ("resolve", dedup_key("pagerduty", ""))]


# Pictures that cannot be drawn ----------------------------------------------------------------------------------------

MAIL = '[alerters.smtp]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nsender = "a@example.org"\ndefault_recipients = ["b@example.org"]\n'  # fmt: skip


@pytest.fixture
def without_matplotlib(monkeypatch):
    monkeypatch.setattr("ridgeline.engine.report.drawings.can_draw", lambda: False)


@pytest.mark.usefixtures("without_matplotlib")
@pytest.mark.parametrize(
    ("strategy", "pictures", "warned"), [("smtp", 10, True), ("smtp", 0, False), ("console", 10, False)]
)
def test_checking_says_what_to_install_for_pictures(tmp_path, fleet, capsys, strategy, pictures, warned):
    extra = f"{MAIL.format(port=25)}[delivery]\npictures = {pictures}\n"
    config = write_config(tmp_path, fleet, alerts=[("", strategy, 60)], extra=extra)
    assert main(["config", "check", str(config)]) == 0
    said = capsys.readouterr().err
    assert said == (
        "ridgeline: warning: smtp: alerts will come without pictures: matplotlib is not installed: pip install "
        "'ridgeline[plot]'; [delivery] pictures = 0 asks for none\n"
        if warned
        else ""
    )


@pytest.mark.usefixtures("without_matplotlib")
def test_a_test_that_cannot_be_illustrated_is_sent_and_says_so(tmp_path, fleet, capsys):
    with smtp_server() as box:
        config = write_config(tmp_path, fleet, alerts=[("", "smtp", 60)], extra=MAIL.format(port=box.port))
        assert main(["alert", "test", "smtp", "--config", str(config)]) == 0
    assert "without a picture: matplotlib is not installed" in capsys.readouterr().err
    assert len(box.mails) == 1


@pytest.mark.parametrize("pictures", [10, 0])
def test_a_test_shows_a_picture_where_alerts_do(tmp_path, fleet, capsys, pictures):
    pytest.importorskip("matplotlib", reason="needs ridgeline[plot], to draw")
    with smtp_server() as box:
        extra = f"{MAIL.format(port=box.port)}[delivery]\npictures = {pictures}\n"
        config = write_config(tmp_path, fleet, alerts=[("", "smtp", 60)], extra=extra)
        assert main(["alert", "test", "smtp", "--config", str(config)]) == 0
    shown = [part.get_content() for part in box.mails[0].walk() if part.get_content_type() == "image/png"]
    assert [png[:8] for png in shown] == [b"\x89PNG\r\n\x1a\n"] * bool(pictures)
    assert capsys.readouterr().err == ""
