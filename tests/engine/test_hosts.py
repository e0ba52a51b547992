"""Whose what waits to be sent is, where several hosts share one outbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ridgeline.engine.run.hosts import owns
from ridgeline.io.shard import Shards

HOSTS = ("alpha", "a", "a.b", "beta")
NOTICES = ("ridgeline.no_data", "ridgeline.stale", "ridgeline.undelivered", "ridgeline.batch_parked")


def senders(metric, take_over=None):
    lost = {} if take_over is None else {take_over[0]: (take_over[1],)}
    alive = [host for host in HOSTS if take_over is None or host != take_over[1]]
    asked = [Shards(HOSTS, host, lost.get(host, ())) for host in alive]
    return [shards.host for shards in asked if owns(shards, shards.share(), metric)]


@given(st.text() | st.sampled_from(NOTICES).flatmap(lambda notice: st.text().map(lambda rest: f"{notice}.{rest}")))
def test_whatever_waits_is_sent_by_one_host(metric):
    assert len(senders(metric)) == 1
    assert len(senders(metric, take_over=("beta", "alpha"))) == 1


@pytest.mark.parametrize("notice", NOTICES)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("rest", ["", ".http", ".1700000000"])
def test_an_alert_about_a_host_is_that_host_s(notice, host, rest):
    assert senders(f"{notice}.{host}{rest}") == [host]
    if host == "alpha":
        assert senders(f"{notice}.{host}{rest}", take_over=("beta", "alpha")) == ["beta"]


def test_what_waits_from_before_there_were_several_is_the_first_host_s():
    for notice in NOTICES:
        assert senders(notice) == ["alpha"]
