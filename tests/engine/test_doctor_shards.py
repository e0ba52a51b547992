"""What `doctor` says of the hosts that share a fleet, by the signs that their runs left."""

import json
from pathlib import Path

import pytest
from rigs.redis import redis_server
from rigs.shards import HOSTS, table

from ridgeline.engine.config.load import parse_config
from ridgeline.engine.doctor.shards import look_at_shards
from ridgeline.engine.run.hosts import Sign, sign_key, this_machine
from ridgeline.io.state.interface import StateError

NOW = 1_700_000_000


@pytest.fixture
def look():
    """Checks of one host: (status, sentence, remedy) of each."""
    with redis_server() as server:

        def looked(shards, more="", **signs):
            server.client.flushall()
            for host, given in signs.items():
                name = "beta.example" if host == "beta" else host
                sign = {"at": NOW - 30, "hosts": HOSTS, "take_over": (), "machine": this_machine()} | given
                server.client.set(sign_key(name), Sign(**sign).text())
            source = f'[source]\nkind = "redis"\nurl = "{server.url}"\n{more}\n{shards}'
            config = parse_config(source.encode(), Path("ridgeline.toml"), {})
            return [(check.status, check.detail, check.remedy) for check in look_at_shards(config, lambda: float(NOW))]

        yield looked


def test_nothing_is_said_of_one_host(look):
    assert look("") == []


def test_all_is_well(look):
    found = look(table("beta.example"), alpha={}, beta={}, gamma={"at": NOW - 170, "machine": "another"})
    assert found == [("green", "this is beta.example, number 2 of 3 hosts", "")]


def test_a_host_that_is_lost(look):
    _, (status, detail, remedy) = look(table("alpha"), alpha={}, beta={}, gamma={"at": NOW - 3720})
    assert (status, detail) == ("red", "gamma has not been at work for 1 h 2 min: nobody judges its metrics")
    assert 'take_over = ["gamma"]' in remedy
    slow = look(table("alpha"), '[agent]\nrun_every = "30m"', alpha={}, beta={}, gamma={"at": NOW - 3720})
    assert [status for status, *_ in slow] == ["green"], "the hosts run twice an hour"


def test_a_host_that_this_redis_has_never_seen_may_have_one_of_its_own(look):
    statuses = [(status, detail) for status, detail, _ in look(table("alpha"), alpha={})]
    assert statuses[1:] == [
        (
            "yellow",
            f"this Redis has no sign of {host} within 7 d: it is lost, not yet started, or has a Redis of its own",
        )
        for host in HOSTS[1:]
    ]


def test_a_host_that_is_taken_over(look):
    mine = table("alpha", take_over=("gamma",))
    first, (status, detail, remedy) = look(mine, alpha={}, beta={}, gamma={"at": NOW - 600})
    assert first[:2] == ("green", "this is alpha, number 1 of 3 hosts, and takes over gamma")
    assert (status, detail) == ("yellow", "gamma has not been at work for 10 min; alpha judges its metrics")
    assert "as soon as it is back" in remedy
    _, (status, detail, _) = look(table("beta.example"), alpha={"take_over": ("gamma",)}, beta={}, gamma={"at": 0})
    assert (status, detail.partition(";")[2]) == ("yellow", " alpha judges its metrics")
    _, (status, detail, _) = look(mine, alpha={}, beta={}, gamma={})
    assert status == "red"
    assert "gamma, which is taken over here, was at work 30 s ago" in detail


def test_a_host_that_two_take_over(look):
    mine = table("alpha", take_over=("gamma",))
    found = look(mine, alpha={}, beta={"take_over": ("gamma",)}, gamma={"at": NOW - 600})
    assert [status for status, *_ in found] == ["green", "red", "yellow"]
    assert found[1][1] == "alpha and beta.example both take over gamma: its metrics are judged twice"


def test_hosts_that_go_by_other_lists(look):
    found = look(table("alpha"), alpha={}, beta={"hosts": HOSTS[:2]}, gamma={})
    assert [status for status, *_ in found] == ["green", "red"]
    assert "beta.example goes by other hosts (alpha, beta.example)" in found[1][1]


def test_two_machines_of_one_name(look):
    _, (status, detail, _) = look(table("alpha"), alpha={"machine": "another"}, beta={}, gamma={})
    assert status == "red"
    assert "another machine calls itself alpha too, and was at work 30 s ago" in detail


def test_a_machine_that_is_none_of_them(look):
    ((status, detail, remedy),) = look('[shards]\nhosts = ["x", "y"]')
    assert status == "red"
    assert "which is none of x, y: it judges nothing" in detail
    assert "[shards] host" in remedy


def test_without_books_it_cannot_be_known(look):
    _, (status, detail, _) = look(table("alpha"), "[analysis]\nbookkeeping = false", alpha={})
    assert (status, detail) == ("yellow", "whether the other hosts are at work cannot be known")


def test_a_redis_that_is_gone_is_an_error_of_one_sentence():
    text = f'[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1/0"\n{table("alpha")}'
    config = parse_config(text.encode(), Path("ridgeline.toml"), {})
    with pytest.raises(StateError, match="cannot read from the books"):
        list(look_at_shards(config, lambda: float(NOW)))


def test_signs_survive_being_stored():
    sign = Sign(NOW, HOSTS, ("gamma",), "m")
    assert Sign.read(sign.text()) == sign
    assert json.loads(sign.text())["hosts"] == list(HOSTS)
    assert [Sign.read(text) for text in (None, "", "1", "[]", '{"at": 1e999}', "{", "[" * 10_000)] == [None] * 7
