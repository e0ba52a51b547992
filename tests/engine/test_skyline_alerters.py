"""`ridgeline.skyline.alerters` with real receivers on loopback."""

import dataclasses
import inspect
import json
import socket
from urllib.parse import parse_qsl

import pytest
from rigs.http import Answer, http_server
from rigs.smtp import Mailbox, smtp_server

from ridgeline import skyline
from ridgeline.io.errors import InputError
from ridgeline.skyline import alerters

METRIC = (400.0, "app.anom.plain", 1_700_000_160)
ALL = ("smtp", "pagerduty", "hipchat", "syslog", "stale_digest", "slack", "http", "sms")


@pytest.fixture
def configure(tmp_path, monkeypatch):
    """Write a configuration that is found by its variable."""

    def write(text):
        path = tmp_path / "there.toml"
        path.write_text(f'[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1"\n{text}')
        monkeypatch.setenv("RIDGELINE_CONFIG", str(path))

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RIDGELINE_CONFIG", raising=False)
    return write


def mail(port, more=""):
    return f"""
        [alerters.smtp]
        host = "127.0.0.1"
        port = {port}
        security = "none"
        sender = "ridgeline@example.org"
        default_recipients = ["all@example.org"]
        {more}
    """


def test_skylines_names_and_parameters():
    assert alerters.LOCAL_DEBUG is False
    assert skyline.__doc__
    for name in ("trigger_alert", *(f"alert_{kind}" for kind in ALL)):
        function = getattr(alerters, name)
        assert list(inspect.signature(function).parameters) == ["alert", "metric", "context"]
        assert function.__doc__


def golden_calls(shared):
    """Each call of Skyline's http alerter, with the body that it posted."""
    for path in sorted((shared / "golden").rglob("http.json")):
        found = json.loads(path.read_text())
        if isinstance(found, dict):
            calls = [call for call in found["alerter_calls"] if "http_alerter" in call["alert"][1]]
            for call in calls:
                name, at = call["metric"][1], int(call["metric"][2])
                fields = [request["body"]["data"]["alert"] for request in found["http"]]
                yield from ((call, body) for body in fields if (body["metric"], body["timestamp"]) == (name, at))


def test_webhooks_get_what_skyline_posted(shared, configure, monkeypatch):
    monkeypatch.setenv("GOLDEN", "golden-token")
    pairs = list(golden_calls(shared))
    assert len(pairs) > 5
    with http_server() as server:
        configure(f'[alerters.http]\nurl = "{server.url}"\npayload = "skyline"\ntoken_env = "GOLDEN"')
        for call, body in pairs:
            outcome = alerters.trigger_alert(tuple(call["alert"]), tuple(call["metric"]), call["context"])
            assert outcome.kind == "sent"
            ours = server.requests[-1].json["data"]["alert"]
            # Skyline loses the score on its way, and the id where it knows one (golden A6).
            given = {item[0]: item[1] for item in call["alert"][3:] if isinstance(item, list)}
            assert ours["anomalyScore"] == given["anomalyScore"]
            assert ours["anomaly_id"] == str(given["anomaly_id"])
            lost = {"anomalyScore": ours["anomalyScore"], "anomaly_id": ours["anomaly_id"]}
            assert ours == {**body, **lost}


def test_a_webhook_of_its_own_name_wins(configure):
    with http_server() as one, http_server() as other:
        configure(f"""
            [alerters.http]
            url = "{one.url}"
            [alerters.http_alerter-x]
            url = "{other.url}"
        """)
        for strategy in ("http_alerter-x", "http_alerter-y", "smtp"):
            assert alerters.alert_http(("app", strategy, 60), METRIC, "Analyzer").kind == "sent"
    assert len(other.requests) == 1
    assert [request.json["strategy"] for request in one.requests] == ["http_alerter-y", "http"]


def test_mirage_is_called_analyzer_and_tests_are_marked(configure):
    with http_server() as server:
        configure(f'[alerters.http]\nurl = "{server.url}"\npayload = "skyline"')
        alerters.alert_http(("app.x", "http_alerter-x", 10, {"test alert": True}), METRIC, "Mirage")
        fields = server.requests[0].json["data"]["alert"]
    assert (fields["source"], fields["test_alert"], fields["expiry"]) == ("analyzer", True, 10)


def test_several_strategies_have_one_outcome_and_none_keeps_another_back(configure):
    with http_server() as server, http_server(Answer(503)) as down:
        configure(f"""
            [alerters.http_alerter-a]
            url = "{server.url}"
            [alerters.http_alerter-b]
            url = "{down.url}"
        """)
        outcome = alerters.trigger_alert(("app", "nonsense|http_alerter-b|http_alerter-a", 60), METRIC, "Analyzer")
        assert len(server.requests) == len(down.requests) == 1
    assert (outcome.kind, outcome.delivered, outcome.deferred, outcome.refused) == (
        "retry", ("http_alerter-a",), ("http_alerter-b",), ("nonsense",),
    )  # fmt: skip


def test_nothing_is_suppressed_by_itself(configure):
    with http_server() as server:
        configure(f'[alerters.http]\nurl = "{server.url}"')
        for _ in range(3):
            assert alerters.trigger_alert(("app", "http_alerter-x", 3600), METRIC, "Analyzer").kind == "sent"
        assert len(server.requests) == 3


def test_recipients_are_those_of_the_rule_the_address_or_the_defaults(configure):
    with smtp_server(Mailbox()) as box:
        more = 'recipients = { "app.known" = ["known@example.org"] }\n'
        rule = '[[alert]]\nmatch = "app.rule"\nstrategy = "smtp"\nrecipients = ["rule@example.org"]\n'
        configure(mail(box.port, more) + rule)
        external = {"id": "external-7", "type": "external"}
        calls = [
            (("app.anom", "smtp", 60), "app.anom.a", ["all@example.org"]),
            (("app.known", "smtp", 60), "app.known.a", ["known@example.org"]),
            (("app.rule", "smtp", 60), "app.rule.a", ["rule@example.org"]),
            (("app.known", "smtp", 60, 0, external), "app.known.a", ["known@example.org"]),
            (("app", "ana@example.org|bo@example.org", 60), "app.a", ["ana@example.org", "bo@example.org"]),
        ]
        for alert, name, recipients in calls:
            assert alerters.trigger_alert(alert, (1.0, name, 5), "Analyzer").kind == "sent"
            assert box.envelopes[-1].rcpt_tos == recipients
        assert alerters.alert_smtp(("app", "slack", 60), METRIC, "Analyzer").kind == "sent"
        sent = len(box.envelopes)
        outcome = alerters.alert_smtp(("app", "smtp", 60, 0, external), METRIC, "Analyzer")
        assert (outcome.kind, len(box.envelopes)) == ("rejected", sent)
        assert "no_email" in outcome.reason


def test_stale_metrics_are_one_mail(configure):
    with smtp_server(Mailbox()) as box:
        configure(mail(box.port))
        metric = (3, ["app.a", "app.b", "app.c\nforged"], 1_700_000_160)
        for send in (alerters.trigger_alert, alerters.alert_stale_digest):
            assert send(("stale_metrics", "stale_digest", 500), metric, "Analyzer").kind == "sent"
    assert len(box.envelopes) == 2
    for found, text in zip(box.mails, box.texts, strict=True):
        assert "3 metrics are newly stale" in text
        assert "app.a, app.b, app.c\\nforged" in " ".join(text.split())
        assert found["To"] == "all@example.org"


def test_the_digest_goes_by_the_strategies_configured_for_it(configure):
    with http_server() as server:
        configure(f'[alerters.http]\nurl = "{server.url}"\n[stale_digest]\nstrategy = "http"\nafter = "10m"')
        for send in (alerters.trigger_alert, alerters.alert_stale_digest):
            assert send(("stale_metrics", "stale_digest", 500), (1, ["app.a"], 5), "Analyzer").kind == "sent"
        messages = [request.json["alerts"][0]["message"] for request in server.requests]
    assert messages == ["1 metric is newly stale, without a new point for more than 10 min: app.a"] * 2


def test_syslog_says_what_skyline_says(configure):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        configure(f'[alerters.syslog]\naddress = "udp://127.0.0.1:{receiver.getsockname()[1]}"')
        assert (
            alerters.alert_syslog(("app", "syslog", 600), (137.643314, "app.anom.level", 5), "Analyzer").kind == "sent"
        )
        text = receiver.recv(4096).decode()
    assert text.endswith("Analyzer - Anomalous metric: app.anom.level (value: 137.643314)")


def test_without_a_configuration_there_are_the_defaults(configure, capsys):
    assert alerters.trigger_alert(("app", "console", 60), METRIC, "Analyzer").kind == "sent"
    assert "app.anom.plain" in capsys.readouterr().out
    outcome = alerters.alert_slack(("app", "slack", 60), METRIC, "Analyzer")
    assert outcome.kind == "rejected"
    assert len(outcome.reason.splitlines()) == 1
    outcome = alerters.alert_smtp(("app", "smtp", 60), METRIC, "Analyzer")
    assert (outcome.kind, outcome.reason) == ("rejected", '"smtp" needs a table [alerters.smtp] with sender')


def test_the_configuration_is_that_of_the_variable_else_that_of_the_folder(configure, tmp_path, monkeypatch):
    (tmp_path / "ridgeline.toml").write_text(
        '[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1"\n[alerters.console]\nstream = 5\n'
    )
    with pytest.raises(InputError, match="stream"):
        alerters.trigger_alert(("app", "console", 60), METRIC, "Analyzer")
    configure("")
    assert alerters.trigger_alert(("app", "console", 60), METRIC, "Analyzer").kind == "sent"
    monkeypatch.setenv("RIDGELINE_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(InputError, match="there is no configuration file"):
        alerters.trigger_alert(("app", "console", 60), METRIC, "Analyzer")


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("alert", [None, (), 5, ("app",), "app"])
def test_what_is_no_alert_is_refused(configure, kind, alert):
    configure("")
    with pytest.raises(InputError, match=r"^alert must be"):
        getattr(alerters, f"alert_{kind}")(alert, METRIC, "Analyzer")


def test_local_debug_tells_outcomes_on_one_line(configure, capsys, monkeypatch):
    configure("")
    monkeypatch.setattr(alerters, "LOCAL_DEBUG", True)
    outcome = alerters.trigger_alert(("app", "no\nsuch", 60), METRIC, "Analyzer")
    assert dataclasses.asdict(outcome)["kind"] == "rejected"
    told = capsys.readouterr().err
    assert told.startswith("ridgeline: alert by no\\nsuch: rejected (there is no strategy")
    assert len(told.splitlines()) == 1


# What Skyline's other alerters sent, and what ours send of the same ------------------------------------------------------


def recorded(shared, kind):
    """(value, metric, context, row, requests) of each recorded call of one alerter that sent something."""
    cases = json.loads((shared / "golden" / "alerters" / "requests.json").read_text())
    for case in cases.values():
        name, metric, context, row = case["call"].split(" ", 3)
        posts = [request for request in case["requests"] if request["method"] == "POST"]
        if name == f"alert_{kind}" and posts:
            value, named = {
                "plain": (400.0, "app.anom.plain"),
                "int": (350, "app.anom.ints"),
                "noimg": (400.0, "app.anom.noimg"),
            }[metric]
            yield value, named, context, tuple(json.loads(row)), posts


def test_pagerduty_opens_an_incident_that_says_what_skylines_did(shared, configure, monkeypatch):
    monkeypatch.setenv("KEY", "golden-pd-key")
    cases = list(recorded(shared, "pagerduty"))
    assert len(cases) == 4
    with http_server(Answer(202)) as server:
        configure(f'[alerters.pagerduty]\nrouting_key_env = "KEY"\napi_url = "{server.url}v2/enqueue"')
        for value, metric, context, row, (theirs,) in cases:
            outcome = alerters.alert_pagerduty(row, (value, metric, 1_700_000_160), context)
            assert outcome.kind == "sent"
            said, event = json.loads(theirs["body"]), server.requests[-1].json
            assert said["description"] == f"Skyline - {context} alert - {value} - {metric}", "what was recorded"
            assert event["routing_key"] == said["service_key"]
            assert event["event_action"] == said["event_type"] == "trigger"
            assert event["payload"]["source"] == metric
            assert event["payload"]["summary"].startswith(f"{metric} is anomalous: {value:g}")
            assert ("found by Mirage" in event["payload"]["summary"]) == (context == "Mirage")
            assert event["payload"]["timestamp"] == "2023-11-14T22:16:00+00:00"
            assert alerters.alert_pagerduty(row, (value, metric, 1_700_000_220), context).kind == "sent"
            assert server.requests[-1].json["dedup_key"] == event["dedup_key"], "one incident, where Skyline opens two"


def test_text_messages_go_to_the_numbers_and_say_what_skylines_did(shared, configure, monkeypatch):
    pytest.importorskip("boto3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.setenv(name, "true")
    cases = list(recorded(shared, "sms"))
    assert len(cases) == 2
    xml = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
    with http_server(Answer(200, {"Content-Type": "text/xml", "Connection": "close"}, xml)) as server:
        for value, metric, context, row, theirs in cases:
            said = [dict(parse_qsl(request["body"])) for request in theirs]
            numbers = [one["PhoneNumber"] for one in said]
            configure(f"""
                [alerters.sms]
                region = "eu-west-1"
                endpoint_url = "{server.url}"
                recipients = {{ "{row[0]}" = {json.dumps(numbers)} }}
            """)
            server.requests.clear()
            outcome = alerters.alert_sms(row, (value, metric, 1_700_000_160), context)
            assert (outcome.kind, outcome.delivered) == ("sent", tuple(numbers))
            ours = [dict(parse_qsl(request.body.decode())) for request in server.requests]
            for mine, their in zip(ours, said, strict=True):
                assert their["Message"] == f"[Skyline alert] Analyzer - {metric}: {value}", "what was recorded"
                assert mine["Message"].startswith(f"{metric} is anomalous: {value:g}")
                assert {**mine, "Message": ""} == {**their, "Message": ""}


def test_slack_posts_to_the_channel_at_once(shared, configure, monkeypatch):
    """Skyline's comment comes with the picture, after six requests and five seconds; without a picture it never does."""
    monkeypatch.setenv("TOKEN", "xoxb-golden")
    cases = list(recorded(shared, "slack"))
    assert len(cases) == 3
    posted = Answer(200, body=json.dumps({"ok": True, "channel": "C1", "ts": "1.2"}).encode())
    with http_server(posted) as server:
        configure(f"""
            [alerters.slack]
            token_env = "TOKEN"
            api_url = "{server.url}api"
            default_recipients = ["CDEFAULT"]
            [[alert]]
            match = "app.anom"
            strategy = "slack"
            recipients = ["#golden"]
        """)
        for value, metric, context, row, theirs in cases:
            (shared_with,) = [dict(parse_qsl(one["body"])) for one in theirs if "completeUpload" in one["path"]]
            server.requests.clear()
            assert alerters.alert_slack(row, (value, metric, 1_700_000_160), context).kind == "sent"
            (request,) = server.requests
            assert request.line.split()[1] == "/api/chat.postMessage"
            assert request.headers["authorization"] == "Bearer xoxb-golden"
            assert request.json["channel"] == shared_with["channel_id"]
            assert shared_with["initial_comment"].startswith(
                f"*Skyline Analyzer - ALERT* on {metric} at 24 hours - {value} ::"
            )
            assert request.json["text"].startswith(f"{metric} is anomalous: {value:g}")


def test_slacks_error_in_a_200_is_an_outcome(configure, monkeypatch):
    monkeypatch.setenv("TOKEN", "xoxb-golden")
    with http_server(Answer(200, body=b'{"ok": false, "error": "channel_not_found"}')) as server:
        configure(f"""
            [alerters.slack]
            token_env = "TOKEN"
            api_url = "{server.url}api"
            default_recipients = ["#gone"]
        """)
        outcome = alerters.trigger_alert(("app", "slack", 60), METRIC, "Analyzer")
    assert (outcome.kind, outcome.reason) == ("rejected", 'Slack says channel_not_found of "#gone"')


def test_a_hipchat_room_is_notified(configure, monkeypatch):
    monkeypatch.setenv("TOKEN", "t")
    with http_server(Answer(204)) as server:
        configure(f'[alerters.hipchat]\nurl = "{server.url}"\nroom = "ops & co"\ntoken_env = "TOKEN"')
        assert alerters.alert_hipchat(("app", "hipchat", 60), METRIC, "Ionosphere").kind == "sent"
    (request,) = server.requests
    assert request.line.split()[1] == "/v2/room/ops%20%26%20co/notification"
    assert request.headers["authorization"] == "Bearer t"
    assert request.json["message"].startswith("app.anom.plain is anomalous: 400")
    assert "found by Ionosphere" in request.json["message"]
