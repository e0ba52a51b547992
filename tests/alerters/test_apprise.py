"""Apprise under the contract, by its plain JSON service on loopback."""

import contextlib
import dataclasses
import logging
import time

import pytest

from ridgeline.alerters import Message, Secret
from ridgeline.alerters.apprise_urls import AppriseSettings, build
from ridgeline.alerters.testing import ALERT, Answer, Contract, http_server, soon

pytest.importorskip("apprise")
# The library itself imports what Python 3.13 no longer has, where it has it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")


def channel(url, **settings):
    return build(AppriseSettings(Secret(f"{url.replace('http', 'json', 1)}hook?key={Contract.SECRET}"), **settings))


class TestContract(Contract):
    keeps_time = True

    @contextlib.contextmanager
    def receiver(self):
        with http_server(Answer(200)) as server:
            yield channel(server.url), lambda: [f"{r.json['title']}\n{r.json['message']}" for r in server.requests]

    def unreachable(self):
        return channel("http://127.0.0.1:1/")


def test_several_services_of_which_one_fails():
    with http_server(Answer(200)) as good, http_server(Answer(500)) as bad:
        urls = "\n".join(server.url.replace("http", "json", 1) for server in (good, bad))
        outcome = build(AppriseSettings(Secret(urls))).send(Message.of(ALERT), soon())
    assert outcome.kind == "retry"
    assert len(good.requests) == 1


def test_a_picture_goes_along():
    with http_server(Answer(200)) as server:
        alert = dataclasses.replace(ALERT, picture=b"\x89PNG picture")
        assert channel(server.url).send(Message.of(alert), soon()).kind == "sent"
    (attached,) = server.requests[0].json["attachments"]
    assert attached["mimetype"] == "image/png"


def test_a_slow_service_costs_no_more_than_the_deadline():
    with http_server(Answer(silent=True)) as server:
        began = time.monotonic()
        assert channel(server.url).send(Message.of(ALERT), soon(0.4)).kind == "unknown"
        assert time.monotonic() - began < 8


def test_an_address_it_does_not_know_is_refused_without_showing_it():
    with pytest.raises(ValueError, match="number 2") as caught:
        build(AppriseSettings(Secret("json://127.0.0.1:1/ nosuch://user:hunter22@h")))
    assert "hunter22" not in str(caught.value)
    with pytest.raises(ValueError, match="urls"):
        AppriseSettings(Secret(" \n"))
    assert logging.getLogger("apprise").level > logging.CRITICAL
