"""The books for siblings: read and written in bulk, in order, within bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Connection
from rigs.redis import proxy, redis_server

from ridgeline.io.redis.entries import Entries
from ridgeline.io.redis.frames import frame, pages
from ridgeline.io.redis.ledger import Exact, Fields, Ledger, Members, Pick, Strings
from ridgeline.io.redis.pages import PAGE
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.secret import Secret
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


def test_numbers_add_up(ledger, server):
    server.client.hset("events", "a", "5")
    for _ in range(2):
        entries = Entries()
        entries.count("events", {"a": 2, "b\udc80": 1})
        ledger.write(entries)
    assert ledger.ask(Fields("events")) == [{"a": "9", "b\\udc80": "2"}]


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


# A set in place of another --------------------------------------------------------------------------------------------

OLD = {f"old.{at}" for at in range(30)}
NEW = {f"new.{at}" for at in range(2500)}


def replacing(members=NEW, **options):
    entries = Entries()
    entries.replace_set("analyzer.stale", members, **options)
    entries.set("analyzer", "1", 120)
    return entries


def held(client, key):
    return {name.decode() for name in client.smembers(key)}


def left_over(client):
    return client.keys("ridgeline.books.*")


def test_a_set_takes_the_place_of_another(ledger, server):
    server.client.sadd("analyzer.stale", *OLD)
    server.client.sadd("aet.analyzer.stale", "older")
    ledger.write(replacing(previous="aet.analyzer.stale"))
    assert held(server.client, "analyzer.stale") == NEW
    assert held(server.client, "aet.analyzer.stale") == OLD
    assert server.client.ttl("analyzer.stale") == -1
    ledger.write(replacing(["x"], ttl=900))
    assert held(server.client, "analyzer.stale") == {"x"}
    assert 890 < server.client.ttl("analyzer.stale") <= 900
    assert held(server.client, "aet.analyzer.stale") == OLD
    ledger.write(replacing([], previous="aet.analyzer.stale"))
    assert held(server.client, "aet.analyzer.stale") == {"x"}
    ledger.write(replacing([], previous="aet.analyzer.stale"))
    assert server.client.exists("analyzer.stale", "aet.analyzer.stale") == 0
    assert left_over(server.client) == []


def test_a_hash_takes_the_place_of_another(ledger, server):
    server.client.hset("h", mapping={"a": "1", "gone": "2"})
    entries = Entries()
    entries.replace_hash("h", {f"f{at}": str(at) for at in range(2500)})
    ledger.write(entries)
    assert server.client.hlen("h") == 2500
    assert server.client.hmget("h", "f0", "f2499", "gone") == [b"0", b"2499", None]
    entries = Entries()
    entries.replace_hash("h", {})
    ledger.write(entries)
    assert not server.client.exists("h")


def test_writers_at_the_same_time_do_not_mix(server):
    first, second = (Ledger(RedisSettings(server.url), lambda: math.inf, mark) for mark in "ab")

    def members():
        yield "a"
        second.write(replacing(["b"], previous="before"))
        assert held(server.client, "analyzer.stale") == {"b"}
        yield "c"

    first.write(replacing(members(), previous="before"))
    assert (held(server.client, "analyzer.stale"), held(server.client, "before")) == ({"a", "c"}, {"b"})
    first.close()
    second.close()


def test_a_write_that_is_cut_off_anywhere_leaves_whole_sets_and_no_sign_of_life(server):
    """However many bytes of it arrive: each set is the old one or the new one, and the heartbeat comes last."""
    with proxy(server.port) as between:
        size = whole_size(server, between)
        seen = set()
        for cut in [*range(0, size, max(size // 23, 1)), *range(size - 400, size, 17)]:
            server.client.flushall()
            server.client.sadd("analyzer.stale", *OLD)
            between.asked, between.cut_asked_after = 0, cut
            ledger = Ledger(RedisSettings(between.url, retries=0, timeout=5.0), lambda: math.inf)
            with pytest.raises(StateError):
                ledger.write(replacing(previous="aet.analyzer.stale"))
            ledger.close()
            now, before = held(server.client, "analyzer.stale"), held(server.client, "aet.analyzer.stale")
            assert (now, before) in [(OLD, set()), (NEW, OLD)], cut
            assert all(0 < server.client.ttl(key) <= 3600 for key in left_over(server.client))
            assert now == NEW or not server.client.exists("analyzer")
            seen.add(now == NEW)
        assert seen == {True, False}


def whole_size(server, between):
    """The bytes that such a write takes in all, whose last arrives too."""
    ledger = Ledger(RedisSettings(between.url, retries=0), lambda: math.inf)
    server.client.sadd("analyzer.stale", *OLD)
    ledger.write(replacing(previous="aet.analyzer.stale"))
    ledger.close()
    assert server.client.exists("analyzer")
    return between.asked


@pytest.mark.parametrize("way", ["full", "no right to fill", "no right to switch"])
def test_what_cannot_be_filled_or_switched_stays_as_it_was(server, way):
    server.client.sadd("analyzer.stale", *OLD)
    settings = RedisSettings(server.url)
    if way == "full":
        server.client.config_set("maxmemory", 1)
    else:
        rights = {"no right to fill": "~analyzer* ~aet* ~ridgeline* +@all -sadd", "no right to switch": "~analyzer* ~ridgeline* +@all"}[way]  # fmt: skip
        server.client.execute_command("ACL", "SETUSER", "u", "on", ">pw", *rights.split())
        settings = RedisSettings(server.url, username="u", password=Secret("pw"))
    ledger = Ledger(settings, lambda: math.inf)
    with pytest.raises(StateError, match=r"is full and takes no writes|does not let this user"):
        ledger.write(replacing(previous="aet.analyzer.stale"))
    ledger.close()
    assert held(server.client, "analyzer.stale") == OLD
    assert not server.client.exists("aet.analyzer.stale")


def test_a_connection_that_the_server_closed_meanwhile_is_opened_again(ledger, server):
    assert ledger.ask(Strings(["analyzer"])) == [[None]]
    for write in (False, True):
        server.client.execute_command("CLIENT", "KILL", "TYPE", "normal")
        if write:
            ledger.write(replacing(["a"]))
        else:
            assert ledger.ask(Members("analyzer.stale")) == [set()]
    assert held(server.client, "analyzer.stale") == {"a"}


def test_pairs_are_stored_as_they_come(ledger, server):
    entries = Entries()
    entries.put_pairs("h", ((f"f{at}", str(at)) for at in range(2500)))
    entries.put_pairs("none", ())
    ledger.write(entries)
    assert (server.client.hlen("h"), server.client.hget("h", "f2499")) == (2500, b"2499")
    assert not server.client.exists("none")


def test_a_replica_takes_nothing(server):
    server.client.sadd("analyzer.stale", *OLD)
    server.client.replicaof("127.0.0.1", 1)
    ledger = Ledger(RedisSettings(server.url), lambda: math.inf)
    with pytest.raises(StateError, match="is a replica, which takes no writes"):
        ledger.write(replacing(previous="aet.analyzer.stale"))
    ledger.close()
    assert held(server.client, "analyzer.stale") == OLD


# What several hosts share ----------------------------------------------------------------------------------------------


def of_ours(texts):
    """Those that begin with "our"."""
    return {text for text in texts if text.startswith("our")}


def test_a_part_of_a_set_is_replaced_and_the_rest_stays(ledger, server):
    server.client.sadd("s", "our.old", "our.kept", "their.one")
    entries = Entries()
    entries.change_part("s", iter(["our.kept", "our.new"]), of_ours, previous="aet.s", ttl=900)
    entries.change_part("empty", (), of_ours)
    ledger.write(entries)
    assert held(server.client, "s") == {"our.kept", "our.new", "their.one"}
    assert held(server.client, "aet.s") == {"our.old", "our.kept", "their.one"}
    assert 890 < server.client.ttl("s") <= 900
    assert server.client.ttl("aet.s") == -1
    assert not server.client.exists("empty")
    assert not server.client.keys("ridgeline.books.*")


def test_what_was_empty_before_is_gone_beside_it(ledger, server):
    server.client.sadd("aet.s", "older")
    entries = Entries()
    entries.change_part("s", ["our.new"], of_ours, previous="aet.s")
    ledger.write(entries)
    assert held(server.client, "s") == {"our.new"}
    assert not server.client.exists("aet.s")


def test_a_part_of_a_hash_is_replaced_and_the_rest_stays(ledger, server):
    server.client.hset("h", mapping={"our.old": "1", "our.kept": "2", "our.changed": "3", "their.one": "4"})
    before = commands(server)
    entries = Entries()
    entries.change_fields("h", {"our.kept": "2", "our.changed": "5", "our.new": "6"}, of_ours)
    ledger.write(entries)
    found = {name.decode(): text.decode() for name, text in server.client.hgetall("h").items()}
    assert found == {"our.kept": "2", "our.changed": "5", "our.new": "6", "their.one": "4"}
    assert commands(server) - before < 10
    server.client.config_resetstat()
    ledger.write(entries)
    assert "cmdstat_hset" not in server.client.info("commandstats"), "what is so already is not written again"


def test_what_cannot_be_read_is_named(ledger, server):
    server.client.set("wrong", "a string")
    for question in (Fields("wrong"), Members("wrong"), Exact("wrong"), Pick("wrong", ["a"])):
        with pytest.raises(StateError, match=r"cannot read from wrong of the books in Redis: .*WRONGTYPE"):
            ledger.ask(Strings(["other"]), question)


def test_a_part_that_cannot_be_read_fails_alone(ledger, server):
    server.client.set("wrong", "a string")
    entries = Entries()
    entries.change_part("wrong", ["our.new"], of_ours)
    entries.change_part("s", ["our.new"], of_ours)
    entries.set("after", "1")
    with pytest.raises(StateError, match="cannot write to the books"):
        ledger.write(entries)
    assert held(server.client, "s") == {"our.new"}
    assert (server.client.get("wrong"), server.client.get("after")) == (b"a string", b"1")


def test_parts_of_more_than_a_page(ledger, server):
    server.client.sadd("s", *(f"our.{at}" for at in range(3000)), *(f"their.{at}" for at in range(3000)))
    entries = Entries()
    entries.change_part("s", (f"our.{at}" for at in range(1500, 4500)), of_ours)
    ledger.write(entries)
    wanted = {f"our.{at}" for at in range(1500, 4500)} | {f"their.{at}" for at in range(3000)}
    assert held(server.client, "s") == wanted


# Commands as bytes -----------------------------------------------------------------------------------------------------

words = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(words, min_size=1, max_size=5))
def test_a_command_is_framed_as_the_client_library_frames_it(command):
    assert frame("SADD", *command) == b"".join(Connection().pack_command("SADD", *command))


@given(words, st.integers(0, 2 * PAGE + 1), words)
def test_pages_are_the_same_command_again_and_again(key, count, word):
    members = [f"{word}{at}" for at in range(count)]
    for command, size in (("SADD", PAGE), ("HSET", 2 * PAGE)):
        pieces = [members[at : at + size] for at in range(0, count, size)]
        assert list(pages(command, key, iter(members))) == [
            b"".join(Connection().pack_command(command, key, *some)) for some in pieces
        ]
