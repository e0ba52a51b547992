"""Slack under the contract, by token and by webhook; recipients, pictures, and what Slack says in a 200."""

import dataclasses
import json
from urllib.parse import parse_qs

import pytest

from ridgeline import alerters
from ridgeline.alerters import Message, Secret
from ridgeline.alerters.slack import SlackSettings, body, build
from ridgeline.alerters.testing import ALERT, Answer, HttpContract, group, hostile, http_server, soon, storm

PICTURE = b"\x89PNG picture"


def said(**words):
    return Answer(200, body=json.dumps(words).encode())


POSTED = said(ok=True, channel="C1", ts="1.2")


def bot(url, **settings):
    return build(
        SlackSettings(
            **{"token": Secret("xoxb-1"), "default_recipients": ("#alerts",), "api_url": f"{url}api", **settings}
        )
    )


class TestBot(HttpContract):
    success = POSTED
    errors_in_success = (
        (said(ok=False, error="channel_not_found"), "rejected"),
        (said(ok=False, error="invalid_auth"), "rejected"),
        (said(ok=False, error="ratelimited"), "retry"),
        (said(ok=False, error="internal_error"), "retry"),
        (said(ok=False, error="<script>"), "unknown"),
        (said(ok=False), "unknown"),
        (Answer(200, body=b"<html>"), "unknown"),
        (Answer(200, body=b"[]"), "unknown"),
        (Answer(200, body=b"[" * 60_000), "unknown"),
    )
    largest = 200_000

    def make(self, url, ca_file=None):
        return bot(url, token=Secret(self.SECRET), ca_file=ca_file)

    def texts(self, request):
        return [request.json["text"]]


class TestWebhook(HttpContract):
    success = Answer(200, body=b"ok")
    largest = 200_000

    def make(self, url, ca_file=None):
        return build(SlackSettings(webhook=Secret(f"{url}services/{self.SECRET}"), ca_file=ca_file))

    def texts(self, request):
        return [request.json["text"]]


def test_a_message_keeps_to_slacks_limits_and_holds_no_markup():
    for message in [group(10), group(60), storm(), *map(Message.of, hostile())]:
        made = body(message)
        assert len(made["text"]) <= 12_000
        assert len(made["blocks"]) <= 50
        for block in made["blocks"]:
            text = block["text"] if "text" in block else block["elements"][0]
            assert 0 < len(text["text"]) <= (600 if block["type"] == "header" else 3000 * 4)
            if block["type"] != "context":
                assert text["type"] == "plain_text"
                assert "<" not in text["text"]
                assert ">" not in text["text"]
        assert "<" not in made["text"]
        assert made["mrkdwn"] is False


def test_a_link_stays_one():
    alert = dataclasses.replace(ALERT, links=(("a|b>c", "https://g.example/?m=a|b>c"),))
    (context,) = [block for block in body(Message.of(alert))["blocks"] if block["type"] == "context"]
    assert context["elements"][0]["text"] == "<https://g.example/?m=a%7Cb%3Ec|a|b&gt;c>"


def answering(words):
    """A Slack that answers by channel."""
    return lambda request: said(**words[request.json["channel"]])


def test_each_recipient_has_a_fate_of_its_own():
    words = {
        "#good": {"ok": True, "channel": "C1", "ts": "1"},
        "#gone": {"ok": False, "error": "channel_not_found"},
        "#busy": {"ok": False, "error": "ratelimited"},
    }
    with http_server(answering(words)) as server:
        made = bot(server.url)
        send = lambda *to: made.send(dataclasses.replace(Message.of(ALERT), recipients=to), soon())  # noqa: E731
        everyone = send("#good", "#gone", "#busy")
        some, nobody, one = send("#good", "#gone"), send("#gone"), send("#good")
    assert (everyone.kind, everyone.delivered, everyone.deferred, everyone.refused) == (
        "retry",
        ("#good",),
        ("#busy",),
        ("#gone",),
    )
    assert (some.kind, some.delivered, some.refused) == ("sent", ("#good",), ("#gone",))
    assert "channel_not_found" in some.reason
    assert (nobody.kind, nobody.refused) == ("rejected", ("#gone",))
    assert (one.kind, one.delivered, one.reason) == ("sent", ("#good",), "")


def test_the_default_recipients_are_for_rules_that_name_none():
    with http_server(POSTED) as server:
        made = bot(server.url, default_recipients=("#a", "#b"))
        made.send(Message.of(ALERT), soon())
        made.send(dataclasses.replace(Message.of(ALERT), recipients=("#c",)), soon())
    assert [request.json["channel"] for request in server.requests] == ["#a", "#b", "#c"]
    assert {request.headers["authorization"] for request in server.requests} == {"Bearer xoxb-1"}
    assert {request.line for request in server.requests} == {"POST /api/chat.postMessage HTTP/1.1"}


def slack(upload_url=None, *, failing=""):
    """A Slack that takes pictures."""

    def answer(request):
        path = request.line.split()[1]
        if failing and failing in path:
            return said(ok=False, error="not_allowed")
        if "getUploadURL" in path:
            host = request.headers["host"]
            return said(ok=True, file_id="F1", upload_url=upload_url or f"http://{host}/upload?x=1")
        return Answer(200) if "upload?" in path else POSTED

    return answer


def with_picture():
    return Message.of(dataclasses.replace(ALERT, picture=PICTURE))


def test_a_picture_follows_in_the_thread():
    with http_server(slack()) as server:
        assert bot(server.url).send(with_picture(), soon()).kind == "sent"
    posted, place, upload, done = server.requests
    assert "chat.postMessage" in posted.line
    asked = parse_qs(place.body.decode())
    assert asked["length"] == [str(len(PICTURE))]
    assert asked["filename"][0].endswith(".png")
    assert (upload.line, upload.body) == ("POST /upload?x=1 HTTP/1.1", PICTURE)
    assert "authorization" not in upload.headers
    assert done.json == {"files": [{"id": "F1", "title": asked["filename"][0]}], "channel_id": "C1", "thread_ts": "1.2"}


@pytest.mark.parametrize("failing", ["getUploadURL", "upload?", "completeUpload"])
def test_a_picture_that_fails_stops_no_alert(failing):
    with http_server(slack(failing=failing)) as server:
        assert bot(server.url).send(with_picture(), soon()).kind == "sent"


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/x",
        "https://files.slack.com/x",
        "file:///etc/passwd",
        "http://169.254.169.254/",
        5,
        None,
        "nope",
    ],
)
def test_a_picture_goes_nowhere_but_to_slack(url):
    with http_server(slack(upload_url=url or "")) as server:
        assert bot(server.url).send(with_picture(), soon()).kind == "sent"
    expected = 4 if url is None else 2
    assert len(server.requests) == expected


def test_slacks_own_hosts_are_its_own():
    from ridgeline.alerters._slack_api import SlackApi
    from ridgeline.io.net.transport import Endpoint, Limits

    api = SlackApi(Endpoint.parse("https://slack.com/api"), Secret("x"), Limits())
    assert api._storage("https://files.slack.com/upload/v1/x").host == "files.slack.com"
    for url in ("http://files.slack.com/x", "https://files.slack.com.evil.example/x", "https://evilslack.com/x"):
        assert api._storage(url) is None


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "token or webhook"),
        ({"token": Secret("x"), "webhook": Secret("https://h/x")}, "token or webhook"),
        ({"token": Secret("x")}, "default_recipients"),
        ({"token": Secret("a\nb"), "default_recipients": ("#a",)}, "token"),
        ({"webhook": Secret("nope")}, "url"),
        ({"webhook": Secret("https://h/x"), "timeout": -1}, "timeout"),
    ],
)
def test_settings_that_could_never_send_are_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        SlackSettings(**settings)


def test_it_takes_recipients():
    assert alerters.load()["slack"].takes_recipients
