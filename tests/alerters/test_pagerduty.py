"""PagerDuty under the contract, and its events against the fields and limits of the Events API v2."""

import dataclasses
import json
from datetime import datetime

import pytest

from ridgeline import alerters
from ridgeline.alerters import Message, Secret
from ridgeline.alerters.pagerduty import PagerDutySettings
from ridgeline.alerters.testing import ALERT, SELF_ALERT, Answer, HttpContract, group, hostile, http_server, soon, storm

# Events API v2: field -> (required, longest text). What is not here is no field.
EVENT = {"routing_key": 32, "event_action": 16, "dedup_key": 255, "payload": None, "client": 1024, "links": None}
PAYLOAD = {
    "summary": 1024, "source": 1024, "severity": 16, "timestamp": 64, "component": 1024, "group": 1024, "class": 1024,
    "custom_details": None,
}  # fmt: skip
ACCEPTED = Answer(202, body=b'{"status": "success", "message": "Event processed", "dedup_key": "x"}')


def channel(url, **settings):
    return alerters.load()["pagerduty"].build(
        PagerDutySettings(api_url=url, **{"routing_key": Secret("R" * 32), **settings})
    )


class TestContract(HttpContract):
    success = ACCEPTED
    largest = 512 * 1024

    def make(self, url, ca_file=None):
        return channel(url, routing_key=Secret(self.SECRET), ca_file=ca_file)


def sent(*messages, **settings):
    with http_server(ACCEPTED) as server:
        made = channel(server.url, **settings)
        for message in messages:
            assert made.send(message, soon(20)).kind == "sent"
    return [request.json for request in server.requests]


def check(event):
    assert set(event) <= set(EVENT)
    assert {"routing_key", "event_action", "dedup_key"} <= set(event)
    assert len(event["dedup_key"]) <= 255
    if event["event_action"] == "resolve":
        assert set(event) == {"routing_key", "event_action", "dedup_key"}
        return
    payload = event["payload"]
    assert {"summary", "source", "severity"} <= set(payload) <= set(PAYLOAD)
    for name, longest in PAYLOAD.items():
        if longest is not None and name in payload:
            assert 0 < len(payload[name]) <= longest, name
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    if "timestamp" in payload:
        assert datetime.fromisoformat(payload["timestamp"]).tzinfo is not None
    for link in event.get("links", ()):
        assert set(link) == {"href", "text"}
    assert len(json.dumps(event)) <= 512 * 1024


def test_events_keep_to_the_api():
    messages = [Message.of(ALERT), Message.of(ALERT, "resolved"), Message.of(SELF_ALERT), group(), storm(5000)]
    messages += [Message.of(alert) for alert in hostile()]
    for event in sent(*messages):
        check(event)


def test_one_metric_is_one_incident_until_it_is_normal():
    opened, again, other, closed = sent(
        Message.of(ALERT),
        Message.of(dataclasses.replace(ALERT, value=9.0, timestamp=ALERT.timestamp + 3600)),
        Message.of(dataclasses.replace(ALERT, metric="other")),
        Message.of(ALERT, "resolved"),
    )
    assert opened["dedup_key"] == again["dedup_key"] == closed["dedup_key"] != other["dedup_key"]
    assert [event["event_action"] for event in (opened, again, other, closed)] == [*["trigger"] * 3, "resolve"]
    assert opened["routing_key"] == "R" * 32


def test_a_storm_is_one_incident_that_lists_the_first():
    event, closed = sent(storm(), dataclasses.replace(storm(), status="resolved"))
    assert event["dedup_key"] == closed["dedup_key"] == storm().dedup_key
    details = event["payload"]["custom_details"]
    assert (details["count"], details["more"], len(details["metrics"])) == (1000, 900, 100)
    assert event["payload"]["group"] == "stats."


def test_what_responders_read():
    alert = dataclasses.replace(
        ALERT, links=(("graph", "https://g.example/?m=a%20b"),), ongoing=True, first_seen=ALERT.timestamp - 720
    )
    (event,) = sent(Message.of(alert))
    payload = event["payload"]
    assert payload["summary"].startswith("stats.web01.requests is anomalous: 1523; 1523, expected 900 to 1100 (above)")
    assert payload["source"] == "stats.web01.requests"
    assert payload["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert payload["custom_details"]["since"] == "for 12 min"
    assert event["links"] == [{"href": "https://g.example/?m=a%20b", "text": "graph"}]


@pytest.mark.parametrize(
    ("rule", "setting", "expected"), [("", "error", "error"), ("info", "error", "info"), ("page", "warning", "warning")]
)
def test_the_rules_severity_wins_where_pagerduty_has_it(rule, setting, expected):
    (event,) = sent(Message.of(dataclasses.replace(ALERT, severity=rule)), severity=setting)
    assert event["payload"]["severity"] == expected


@pytest.mark.parametrize(
    "wrong", [{"severity": "page"}, {"resolve_after": 0}, {"api_url": "ftp://x"}, {"timeout": 0}, {"concurrency": 0}]
)
def test_settings_that_could_never_send_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).removeprefix("api_")):
        PagerDutySettings(Secret("R" * 32), **wrong)


def test_it_is_not_grouped_and_knows_resolution():
    found = alerters.load()["pagerduty"]
    settings = PagerDutySettings(Secret("R" * 32))
    assert (found.grouping(settings), found.resolving(settings)) == ("one by one", True)
    assert settings.resolve_after == 3
