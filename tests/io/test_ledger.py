"""The books for siblings: read and written in bulk, in order, within bounds."""

import math

import pytest
from rigs.redis import redis_server

from ridgeline.io.redis.entries import Entries
from ridgeline.io.redis.ledger import Fields, Ledger, Members, Pick, Strings
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.state.interface import StateError


@pytest.fixture
def server():
    with redis_server() as running:
        yield running


@pytest.fixture
def ledger(server):
    made = Ledger(RedisSettings(server.url), lambda: math.inf)
    yield made
    made.close()


def commands(server):
    return server.client.info("stats")["total_commands_processed"]


def test_what_is_written_is_read_again_in_one_go(ledger, server):
    entries = Entries()
    entries.set("analyzer", "1700000000", 120)
    entries.set("analyzer.last_all_alerts", "[]")
    entries.add("analyzer.stale", ["a", "b\n", "c\udc80"])
    entries.remove("analyzer.stale", ["a"])
    entries.put("analyzer.run_time", {"value": "1.5", "timestamp": "1700000000"})
    entries.drop("analyzer.run_time", ["timestamp"])
    entries.add("nothing", [])
    ledger.write(entries)
    assert ledger.ask(
        Strings(["analyzer", "missing", "analyzer.last_all_alerts"]),
        Members("analyzer.stale"),
        Fields("analyzer.run_time"),
        Pick("analyzer.run_time", ["timestamp", "value"]),
        Members("missing"),
    ) == [["1700000000", None, "[]"], {"b\n", "c\\udc80"}, {"value": "1.5"}, [None, "1.5"], set()]
    assert server.client.ttl("analyzer") in {119, 120}
    assert server.client.ttl("analyzer.last_all_alerts") == -1


def test_changes_are_made_in_their_order(ledger, server):
    entries = Entries()
    entries.add("new", ["1"])
    entries.rename("new", "old")
    entries.rename("never", "old")  # there is none: the old one stays
    entries.add("new", ["2"])
    entries.expire("new", 60)
    entries.unlink("gone", "old")
    entries.rename("new", "old")
    ledger.write(entries)
    assert server.client.smembers("old") == {b"2"}
    assert server.client.ttl("old") in {59, 60}
    assert not server.client.exists("new", "gone")


def test_a_fleet_takes_a_handful_of_commands(ledger, server):
    names = [f"stats.host{at}" for at in range(100_000)]
    entries = Entries()
    entries.add("analyzer.stale", names)
    entries.put("analyzer.metrics.last_analyzed_timestamp", dict.fromkeys(names, "1700000000"))
    before = commands(server)
    ledger.write(entries)
    assert commands(server) - before < 230
    assert (
        server.client.scard("analyzer.stale")
        == server.client.hlen("analyzer.metrics.last_analyzed_timestamp")
        == 100_000
    )
    assert ledger.ask(Members("analyzer.stale")) == [set(names)]


def test_what_is_refused_keeps_nothing_else_back(server):
    server.client.execute_command("ACL", "SETUSER", "clerk", "on", "nopass", "~analyzer*", "+@all", "-sadd")
    url = server.url.replace("unix://", "unix://clerk:x@")
    ledger = Ledger(RedisSettings(url), lambda: math.inf)
    entries = Entries()
    entries.set("analyzer", "1", 120)
    entries.add("analyzer.stale", ["a"])
    entries.set("other", "1")
    entries.set("analyzer.last_all_alerts", "[]")
    with pytest.raises(StateError, match="does not let this user do that"):
        ledger.write(entries)
    assert sorted(server.client.keys()) == [b"analyzer", b"analyzer.last_all_alerts"]
    with pytest.raises(StateError, match="cannot read from the books"):
        ledger.ask(Strings(["other"]))
    assert ledger.ask(Strings(["analyzer"])) == [["1"]], "a right that is missing is no lost server"
    ledger.close()


def test_a_key_of_another_type_is_said(ledger, server):
    server.client.set("analyzer.stale", "text")
    entries = Entries()
    entries.add("analyzer.stale", ["a"])
    entries.set("analyzer", "1", 120)
    with pytest.raises(StateError, match="WRONGTYPE"):
        ledger.write(entries)
    assert server.client.get("analyzer") == b"1"


def test_a_lost_server_is_asked_no_more(tmp_path):
    ledger = Ledger(RedisSettings(f"unix://{tmp_path}/none.sock", connect_budget=0.2, retries=0), lambda: math.inf)
    for _ in range(2):
        with pytest.raises(StateError, match="cannot reach Redis at unix"):
            ledger.write(_one())
    ledger.close()


def _one():
    entries = Entries()
    entries.set("analyzer", "1", 120)
    return entries
