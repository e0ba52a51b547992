"""The webhook under the contract with each payload, and the payloads."""

import dataclasses
import json
import math
import re
import threading

import pytest
from hypothesis import given
from rigs.names import names

from ridgeline import alerters
from ridgeline.alerters import Message, Secret, outcome_of
from ridgeline.alerters._payloads import dumps, ridgeline, skyline
from ridgeline.alerters._template import fill, read_template
from ridgeline.alerters.testing import ALERT, Answer, HttpContract, group, http_server, soon, storm
from ridgeline.alerters.webhook import HttpSettings, SkylineWebhook, Webhook
from ridgeline.io.text import encodable


def webhook(url, **settings):
    return alerters.load()["http"].build(HttpSettings(url, **settings))


class TestRidgeline(HttpContract):
    def make(self, url, ca_file=None):
        return webhook(url, token=Secret(self.SECRET), ca_file=ca_file)


class TestSkyline(HttpContract):
    one_each = True
    says_why = False
    success = Answer(200, body=b'{"status": {}}')

    def make(self, url, ca_file=None):
        return webhook(url, payload="skyline", token=Secret(self.SECRET), ca_file=ca_file)


class TestTemplate(HttpContract):
    @pytest.fixture(autouse=True)
    def _template(self, tmp_path):
        self.template = tmp_path / "body.json"
        self.template.write_text(json.dumps({"text": "{headline}\n{body}", "of": "{rule}"}))

    def texts(self, request):
        return [request.json["text"]]

    def make(self, url, ca_file=None):
        return webhook(url, payload="template", template_file=self.template, token=Secret(self.SECRET), ca_file=ca_file)


def test_the_payload_carries_everything():
    alert = dataclasses.replace(
        ALERT, first_seen=ALERT.timestamp - 720, ongoing=True, links=(("graph", "https://g/?m=a"),), severity="warning"
    )
    with http_server() as server:
        made = webhook(f"{server.url}alert?x=1", token=Secret("t0ken"))
        made.send(dataclasses.replace(Message.of(alert), fleet=120), soon())
    (request,) = server.requests
    assert request.line == "POST /alert?x=1 HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer t0ken"
    assert request.headers["ridgeline-dedup-key"] == alert.dedup_key
    assert b"t0ken" not in request.body
    why = '1523, expected 900 to 1100 (above); 2 of 3 algorithms: grubbs, ks_test; for 12 min; rule "stats."'
    assert request.json == {
        "version": 1,
        "status": "firing",
        "headline": "stats.web01.requests is anomalous: 1523",
        "strategy": "pigeon",
        "rule": "stats.",
        "severity": "warning",
        "dedup_key": alert.dedup_key,
        "count": 1,
        "fleet": 120,
        "storm": False,
        "test": False,
        "alerts": [
            {
                "metric": "stats.web01.requests",
                "value": 1523.0,
                "timestamp": 1700000000,
                "expected": [900.0, 1100.0],
                "direction": "up",
                "votes": 2,
                "algorithms": ["grubbs", "ks_test"],
                "algorithms_run": ["grubbs", "ks_test", "least_squares"],
                "channels": [],
                "rule_score": None,
                "negatives": False,
                "first_seen": 1699999280,
                "ongoing": True,
                "since": "for 12 min",
                "expiration": 60,
                "full_duration": 86400,
                "why": why,
                "facts": {
                    "value": "1523",
                    "expected": "900 to 1100",
                    "direction": "above",
                    "votes": "2 of 3 algorithms: grubbs, ks_test",
                    "since": "for 12 min",
                    "rule": "stats.",
                },
                "links": {"graph": "https://g/?m=a"},
                "message": None,
                "dedup_key": alert.dedup_key,
            }
        ],
    }
    assert isinstance(request.json["alerts"][0]["timestamp"], int)


def test_a_storm_is_carried_whole():
    assert len(ridgeline(storm(25))["alerts"]) == 25


def test_without_a_token_no_authorization_is_sent():
    with http_server() as server:
        webhook(server.url).send(Message.of(ALERT), soon())
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize(
    "make", [lambda m: ridgeline(m)["alerts"][0], lambda m: skyline(m.first, None)["data"]["alert"]]
)
@given(name=names)
def test_the_payload_names_the_metric_exactly(make, name):
    sent = dumps(make(Message.of(dataclasses.replace(ALERT, metric=name))))
    assert sent.isascii()
    assert json.loads(sent)["metric"] == encodable(name)
    json.loads(sent)["metric"].encode()


# Skyline's payload -------------------------------------------------------------------------------------------------------


def golden(shared):
    """Every body that Skyline sent, with the tuple it was called with."""
    for path in sorted((shared / "golden").rglob("http.json")):
        found = json.loads(path.read_text())
        if isinstance(found, dict):
            yield from (request["body"] for request in found["http"])


def test_skylines_payload_has_the_fields_and_types_of_the_real_ones(shared):
    bodies = list(golden(shared))
    assert len(bodies) > 10
    for body in bodies:
        real = body["data"]["alert"]
        alert = alerters.Alert(
            real["metric"], real["value"], real["timestamp"], full_duration=real["full_duration"],
            expiration=real["expiry"], anomaly_id=None if real["anomaly_id"] == "None" else real["anomaly_id"],
        )  # fmt: skip
        ours = json.loads(dumps(skyline(alert, body["data"]["token"])))
        theirs = {**real, "anomalyScore": ours["data"]["alert"]["anomalyScore"]}  # theirs is lost (golden A6)
        assert ours == {**body, "data": {**body["data"], "alert": theirs}}
        assert list(ours["data"]["alert"]) == list(real)
        assert [type(v) for v in ours["data"]["alert"].values()] == [type(v) for v in theirs.values()]


def test_skylines_payload_with_all_we_know():
    alert = dataclasses.replace(ALERT, anomaly_id="4711", external_id="7", test=True, expected=(-5.0, 10.0))
    fields = skyline(alert, None)["data"]["alert"]
    assert (fields["anomaly_id"], fields["id"], fields["token"], fields["test_alert"]) == ("4711", "7", None, True)
    assert (fields["3sigma_upper"], fields["3sigma_lower"], fields["3sigma_real_lower"]) == (10.0, -5.0, 0)
    assert fields["anomalyScore"] == 2 / 3
    assert skyline(dataclasses.replace(alert, negatives=True), None)["data"]["alert"]["3sigma_real_lower"] == -5.0
    assert skyline(ALERT, None)["data"]["token"] == "None"


def test_skylines_receivers_get_one_anomaly_a_request_over_one_connection():
    with http_server(Answer(200, body=b"{}")) as server:
        made = webhook(server.url, payload="skyline")
        outcome = made.send(group(20), soon())
        assert (outcome.kind, outcome.arrived) == ("sent", 20)
        assert [r.json["data"]["alert"]["metric"] for r in server.requests] == [a.metric for a in group(20).alerts]
        assert server.connections == 1
    assert isinstance(made, SkylineWebhook)


def test_what_arrived_before_a_failure_is_told():
    with http_server(Answer(), Answer(), Answer(503, {"Retry-After": "9"})) as server:
        outcome = webhook(server.url, payload="skyline").send(group(5), soon())
    assert (outcome.kind, outcome.arrived, outcome.retry_after) == ("retry", 2, 9.0)


# Templates -----------------------------------------------------------------------------------------------------------------


def written(tmp_path, text):
    path = tmp_path / "t.json"
    path.write_text(text)
    return path


def test_a_template_is_filled_with_native_values(tmp_path):
    template = read_template(
        written(tmp_path, '{"v": "{value}", "at": ["{timestamp}"], "t": "{metric} {low}..{high} {severity}!", "n": 3}')
    )
    assert fill(template, Message.of(ALERT)) == {
        "v": 1523.0,
        "at": [1700000000],
        "t": "stats.web01.requests 900.0..1100.0 !",
        "n": 3,
    }


@given(name=names)
def test_no_name_breaks_out_of_a_template(name):
    filled = fill({"a": "x {metric} y", "b": "{metric}"}, Message.of(dataclasses.replace(ALERT, metric=name)))
    assert json.loads(dumps(filled)) == {"a": f"x {encodable(name)} y", "b": encodable(name)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ('{"a": "{nonsense}"}', r"holds \{nonsense\}; known names: "),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_templates_that_cannot_work(tmp_path, text, message):
    with pytest.raises(ValueError, match=f"template_file .* {message}"):
        HttpSettings("http://h/", payload="template", template_file=written(tmp_path, text))


def test_a_template_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        HttpSettings("http://h/", payload="template", template_file=tmp_path / "none.json")


# Settings ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "file:///etc/passwd"}, "url must begin with"),
        ({"url": Secret("ftp://x/")}, "url must begin with"),
        ({"url": "http://h/", "token": Secret("a\nb")}, "token must be one line"),
        ({"url": "http://h/", "token": Secret("")}, "token must be one line"),
        ({"url": "http://h/", "timeout": 0}, "timeout must be"),
        ({"url": "http://h/", "timeout": math.nan}, "timeout must be"),
        ({"url": "http://h/", "timeout": math.inf}, "timeout must be"),
        ({"url": "http://h/", "concurrency": 0}, "concurrency must be"),
        ({"url": "http://h/", "payload": "xml"}, "payload must be one of ridgeline, skyline, template"),
        ({"url": "http://h/", "payload": "template"}, "template_file belongs to"),
    ],
)
def test_settings_of_http_that_cannot_work(settings, message):
    with pytest.raises(ValueError, match=message):
        HttpSettings(**settings)


def test_a_ca_file_that_cannot_be_used_is_a_wrong_setting(tmp_path):
    with pytest.raises(ValueError, match=r"ca_file .* no usable certificates"):
        HttpSettings("https://h/", ca_file=tmp_path / "none.pem")


def test_an_unregistered_status_has_no_phrase():
    assert outcome_of(599, webhook("http://h/").endpoint).reason == "http://h answered 599"
    assert isinstance(webhook("http://h/"), Webhook)


def test_settings_show_no_secret():
    shown = repr(HttpSettings("http://h/SENTINEL?key=SENTINEL", token=Secret("SENTINEL")))
    assert not re.search("SENTINEL", shown)


def test_concurrent_sends_do_not_mix():
    with http_server() as server:
        alerter = webhook(server.url)
        threads = [
            threading.Thread(
                target=alerter.send, args=[Message.of(dataclasses.replace(ALERT, metric=f"m.{n}")), soon()]
            )
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(r.json["alerts"][0]["metric"] for r in server.requests) == sorted(f"m.{n}" for n in range(20))
