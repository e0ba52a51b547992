"""HipChat's room notifications under the contract."""

import pytest

from ridgeline.alerters import Message, Secret
from ridgeline.alerters.hipchat import HipchatSettings, build
from ridgeline.alerters.testing import ALERT, Answer, HttpContract, http_server, soon


def channel(url, **settings):
    return build(HipchatSettings(**{"url": url, "room": "ops", "token": Secret("t"), **settings}))


class TestContract(HttpContract):
    success = Answer(204)
    largest = 120_000

    def make(self, url, ca_file=None):
        return channel(url, token=Secret(self.SECRET), ca_file=ca_file)

    def texts(self, request):
        return [request.json["message"]]


def test_a_room_is_notified_in_plain_text():
    with http_server(Answer(204)) as server:
        assert channel(server.url, room="Ops & Web/1").send(Message.of(ALERT), soon()).kind == "sent"
    (request,) = server.requests
    assert request.line == "POST /v2/room/Ops%20%26%20Web%2F1/notification HTTP/1.1"
    assert request.headers["authorization"] == "Bearer t"
    assert (request.json["message_format"], request.json["notify"]) == ("text", True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"url": "x"}, "url"), ({"room": ""}, "room"), ({"token": Secret("a\n")}, "token"), ({"timeout": 0}, "timeout")],
)
def test_settings_that_could_never_send_are_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        HipchatSettings(**{"url": "http://h", "room": "r", "token": Secret("t"), **wrong})
