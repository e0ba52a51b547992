"""Alertmanager under the contract, and its alerts against the API; the real program in a test of its own."""

import dataclasses
import json
import re
from datetime import datetime

import pytest

from ridgeline import alerters
from ridgeline.alerters import Message, Secret
from ridgeline.alerters.alertmanager import AlertmanagerSettings, build
from ridgeline.alerters.testing import ALERT, SELF_ALERT, HttpContract, group, hostile, http_server, soon, storm

NOW = ALERT.timestamp + 30


def channel(url, now=NOW, **settings):
    return dataclasses.replace(build(AlertmanagerSettings(url, **settings)), now=lambda: now)


class TestContract(HttpContract):
    one_each = True

    def make(self, url, ca_file=None):
        return build(AlertmanagerSettings(url, token=Secret(self.SECRET), ca_file=ca_file))

    def texts(self, request):
        return [json.dumps(alert) for alert in request.json]


def sent(*messages, now=NOW, **settings):
    with http_server() as server:
        made = channel(server.url, now, **settings)
        for message in messages:
            assert made.send(message, soon(20)).kind == "sent"
    assert {request.line for request in server.requests} == {"POST /api/v2/alerts HTTP/1.1"}
    return [request.json for request in server.requests]


def check(alert):
    assert set(alert) <= {"labels", "annotations", "startsAt", "endsAt", "generatorURL"}
    assert alert["labels"]["alertname"]
    for name, value in {**alert["labels"], **alert["annotations"]}.items():
        assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name)
        assert isinstance(value, str)
        assert value
    start, end = (datetime.fromisoformat(alert[name]) for name in ("startsAt", "endsAt"))
    assert start <= end


def test_alerts_keep_to_the_api():
    messages = [Message.of(ALERT), Message.of(ALERT, "resolved"), Message.of(SELF_ALERT), group(), storm()]
    messages += [Message.of(alert) for alert in hostile()]
    messages += [Message.of(dataclasses.replace(ALERT, timestamp=stamp)) for stamp in (0, 2**53, -(2**53), NOW + 999)]
    for body in sent(*messages):
        for alert in body:
            check(alert)


def test_labels_are_the_same_for_each_repeat_and_the_end_moves():
    later = dataclasses.replace(
        ALERT, value=7.0, timestamp=ALERT.timestamp + 600, first_seen=ALERT.timestamp, ongoing=True, expiration=3600
    )
    ((first,),) = sent(Message.of(ALERT), labels={"team": "web"})
    ((again,),) = sent(Message.of(later), now=NOW + 600, labels={"team": "web"})
    ((over,),) = sent(Message.of(later, "resolved"), now=NOW + 900, labels={"team": "web"})
    assert first["labels"] == again["labels"] == over["labels"]
    assert first["labels"] == {"alertname": "RidgelineAnomaly", "metric": "stats.web01.requests", "team": "web"}
    assert first["startsAt"] == again["startsAt"] == "2023-11-14T22:13:20Z"
    assert first["endsAt"] == "2023-11-14T22:14:50Z"
    assert again["endsAt"] == "2023-11-14T23:23:50Z"
    assert over["endsAt"] == "2023-11-14T22:28:50Z"
    assert "for 10 min" in again["annotations"]["description"]


def test_one_alert_per_metric_whatever_their_number():
    (body,) = sent(storm(1000))
    assert len(body) == len({alert["labels"]["metric"] for alert in body}) == 1000


def test_what_people_read():
    alert = dataclasses.replace(ALERT, links=(("graph!", "https://g.example/?m=a"),), severity="warning")
    ((found,),) = sent(Message.of(alert))
    assert found["annotations"]["summary"] == "stats.web01.requests is anomalous: 1523"
    assert found["annotations"]["expected"] == "900 to 1100"
    assert found["annotations"]["link_graph_"] == found["generatorURL"] == "https://g.example/?m=a"
    assert found["labels"]["severity"] == "warning"
    ((ours,),) = sent(Message.of(SELF_ALERT))
    assert ours["labels"]["alertname"] == "Ridgeline"


def test_a_base_with_a_path():
    with http_server() as server:
        assert channel(f"{server.url}am/").send(Message.of(ALERT), soon()).kind == "sent"
    assert server.requests[0].line == "POST /am/api/v2/alerts HTTP/1.1"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "nope"}, "url"),
        ({"labels": {"a b": "x"}}, "labels"),
        ({"labels": {"metric": "x"}}, "labels"),
        ({"labels": {"a": 1}}, "labels"),
        ({"token": Secret("a\nb")}, "token"),
        ({"resolve_after": 0}, "resolve_after"),
        ({"timeout": float("inf")}, "timeout"),
    ],
)
def test_settings_that_could_never_send_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        AlertmanagerSettings(**{"url": "http://127.0.0.1:9093", **wrong})


def test_it_is_never_grouped_and_knows_resolution():
    found = alerters.load()["alertmanager"]
    settings = AlertmanagerSettings("http://127.0.0.1:9093")
    assert (found.grouping(settings), found.resolving(settings)) == ("never", True)
