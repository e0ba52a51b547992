"""Text messages under the contract, through boto3 to a double of SNS that is checked against botocore's own model."""

import contextlib
import dataclasses
import time
from urllib.parse import parse_qs

import pytest

from ridgeline import alerters
from ridgeline.alerters import Message
from ridgeline.alerters.sms import SmsSettings, build, text
from ridgeline.alerters.testing import ALERT, Answer, Contract, group, hostile, http_server, soon, storm

pytest.importorskip("boto3")
NUMBERS = ("+34600000001", "+34600000002", "+34600000003")
DONE = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>1</MessageId>'
    b"</PublishResult><ResponseMetadata><RequestId>2</RequestId></ResponseMetadata></PublishResponse>"
)
ACCEPTED = Answer(200, {"Content-Type": "text/xml", "Connection": "close"}, DONE)


def refused(status, code):
    body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>secret words</Message></Error></ErrorResponse>"
    return Answer(status, {"Content-Type": "text/xml", "Connection": "close"}, body.encode())


@pytest.fixture(scope="module")
def models():
    """What botocore knows of services, read once for all clients of this file."""
    from botocore import loaders

    return loaders.create_loader()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch, models):
    monkeypatch.setattr("botocore.session.create_loader", lambda *_: models)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", Contract.SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def channel(url, **settings):
    return build(
        SmsSettings(**{"region": "eu-west-1", "endpoint_url": url, "default_recipients": NUMBERS[:1], **settings})
    )


def fields(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


class TestContract(Contract):
    @contextlib.contextmanager
    def receiver(self):
        with http_server(ACCEPTED) as server:
            yield channel(server.url), lambda: [fields(request)["Message"] for request in server.requests]

    def unreachable(self):
        return channel("http://127.0.0.1:1/")


def test_what_is_sent_is_what_sns_takes():
    import botocore.session

    model = botocore.session.get_session().get_service_model("sns").operation_model("Publish").input_shape
    with http_server(ACCEPTED) as server:
        assert channel(server.url).send(Message.of(ALERT), soon()).kind == "sent"
    sent = fields(server.requests[0])
    assert sent.pop("Action") == "Publish"
    assert sent.pop("Version") == "2010-03-31"
    assert {name.split(".")[0] for name in sent} <= set(model.members)
    assert sent["PhoneNumber"] == NUMBERS[0]
    assert sent["MessageAttributes.entry.1.Value.StringValue"] == "Transactional"
    assert "Ridgeline" not in server.requests[0].line


def test_a_text_keeps_to_what_sns_takes():
    for message in [group(10), storm(), *map(Message.of, hostile())]:
        assert 0 < len(text(message).encode()) <= 1600
    assert "and 990 more" in text(storm())


def send(answer, *numbers, seconds=5):
    with http_server(answer) as server:
        return channel(server.url).send(
            dataclasses.replace(Message.of(ALERT), recipients=numbers or NUMBERS[:1]), soon(seconds)
        )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidParameter", "rejected"), (403, "AuthorizationError", "rejected"), (403, "InvalidClientTokenId", "rejected"),
        (400, "Throttling", "retry"), (400, "ThrottledException", "retry"), (429, "Throttled", "retry"),
        (500, "InternalError", "retry"), (503, "ServiceUnavailable", "retry"), (400, "a b", "rejected"),
    ],
)  # fmt: skip
def test_what_sns_says(status, code, kind):
    outcome = send(refused(status, code))
    assert outcome.kind == kind, outcome
    assert "secret words" not in outcome.reason
    assert str(status) in outcome.reason


def test_every_status_is_an_outcome():
    statuses = [*range(400, 432), *range(500, 512)]
    coming = iter(statuses)
    with http_server(lambda _: refused(next(coming), "Some")) as server:
        made = channel(server.url)
        for status in statuses:
            kind = made.send(Message.of(ALERT), soon()).kind
            assert kind == ("retry" if status in {408, 429} or status >= 500 else "rejected"), status


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"\xff", b"<Error><Code><x></Code></Error>"])
@pytest.mark.parametrize("status", [200, 400, 403, 503])
def test_an_answer_that_cannot_be_read_raises_nothing(status, body):
    outcome = send(Answer(status, {"Content-Type": "text/xml", "Connection": "close"}, body))
    assert outcome.kind in {"sent", "unknown", "retry", "rejected"}
    assert (outcome.kind == "sent") <= (status == 200)


def test_it_is_tried_once():
    with http_server(refused(500, "InternalError")) as server:
        channel(server.url).send(Message.of(ALERT), soon())
    assert len(server.requests) == 1


def test_each_number_has_a_fate_of_its_own():
    def answer(request):
        return {"1": ACCEPTED, "2": refused(400, "InvalidParameter"), "3": refused(500, "InternalError")}[
            fields(request)["PhoneNumber"][-1]
        ]

    outcome = send(answer, *NUMBERS)
    assert (outcome.kind, outcome.delivered, outcome.deferred, outcome.refused) == (
        "retry",
        NUMBERS[:1],
        NUMBERS[2:],
        NUMBERS[1:2],
    )
    assert send(answer, *NUMBERS[:2]).kind == "sent"
    assert send(answer, "ops").kind == "rejected", "a name is no number"


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(drip=0.05, body=b"x" * 1000, headers={"X": "y" * 500})])
def test_a_slow_receiver_costs_no_more_than_the_deadline(answer):
    began = time.monotonic()
    assert send(answer, seconds=0.5).kind == "unknown"
    assert time.monotonic() - began < 8


def test_without_credentials_it_says_so(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    outcome = send(ACCEPTED)
    assert outcome.kind == "rejected"
    assert "credentials" in outcome.reason


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"region": "Europe!"}, "region"), ({"default_recipients": ("600",)}, "default_recipients"), ({"recipients": {"a": ("x",)}}, "recipients"),
     ({"endpoint_url": "ftp://x"}, "url"), ({"timeout": 0}, "timeout")],
)  # fmt: skip
def test_settings_that_could_never_send_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        SmsSettings(**{"region": "eu-west-1", **wrong})


def test_a_missing_library_says_what_to_install(monkeypatch):
    found = alerters.load()["sms"]
    assert found.lacking == ""
    monkeypatch.setattr("ridgeline.alerters._channel.find_spec", lambda _: None)
    assert "pip install 'ridgeline[sms]'" in found.lacking
