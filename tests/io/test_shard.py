"""Which host a metric belongs to: Skyline's rule, one owner each, whatever the hosts are and names hold."""

import json
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.redis import redis_server

from ridgeline.io.errors import InputError
from ridgeline.io.redis.settings import RedisSettings
from ridgeline.io.redis.source import RedisSource
from ridgeline.io.shard import Shards, Share, owners
from ridgeline.io.source import Reading

HOSTS = st.lists(st.text(min_size=1), min_size=1, max_size=9, unique=True).map(tuple)
NAMES = st.lists(st.text(st.characters()) | st.text(st.characters(categories=["Cs"])), max_size=30)


def adler32(data: bytes) -> int:
    """The twin: RFC 1950, byte by byte."""
    low, high = 1, 0
    for byte in data:
        low = (low + byte) % 65521
        high = (high + low) % 65521
    return high << 16 | low


@given(st.lists(st.binary(max_size=400), max_size=20), st.integers(1, 1000))
def test_the_owner_is_adler32_modulo_the_hosts(names, hosts):
    assert owners(names, hosts).tolist() == [adler32(name) % hosts for name in names]


def test_long_names_too():
    name = b"\xff" * 65_536
    assert owners([name], 7).tolist() == [adler32(name) % 7]


def test_skylines_answers(shared):
    golden = json.loads((shared / "golden" / "manager" / "assigned_to_shard.json").read_text())
    placed = sorted(golden["HORIZON_SHARDS"].items(), key=lambda pair: pair[1])
    shards = Shards(tuple(host for host, _ in placed), golden["this_host"])
    for one in golden["results"]:
        assert shards.owner(one["name"]) == one["assigned_to_shard"], one["name"]
        assert shards.share().holds(one["name"]) == one["is_shard_metric_on_golden_host"], one["name"]


@pytest.mark.parametrize(
    ("name", "two", "three", "five"),
    [("", 1, 1, 1), ("a", 0, 1, 1), ("telegraf.cpu.usage_user", 0, 0, 3), ("stats.gauges.web01.load", 1, 0, 1)],
)
def test_known_places(name, two, three, five):
    assert [int(owners([name.encode()], hosts)[0]) for hosts in (2, 3, 5)] == [two, three, five]


@given(HOSTS, NAMES)
def test_every_metric_has_exactly_one_owner(hosts, names):
    shares = [Shards(hosts, host).share().of(names) for host in hosts]
    assert (np.sum(shares, axis=0) == 1).all()
    for name in names:
        holding = [host for host in hosts if Shards(hosts, host).share().holds(name)]
        assert holding == [Shards(hosts, hosts[0]).owner(name)]


@given(HOSTS.filter(lambda hosts: len(hosts) > 1), NAMES)
def test_what_is_taken_over_moves_and_nothing_else_does(hosts, names):
    first, lost = hosts[0], hosts[-1]
    before = {host: Shards(hosts, host).share().among(names) for host in hosts}
    after = {host: Shards(hosts, host, (lost,) if host == first else ()).share().among(names) for host in hosts[:-1]}
    assert after.pop(first) == before[first] | before[lost]
    assert after == {host: before[host] for host in hosts[1:-1]}


def test_without_hosts_all_is_ours():
    shards = Shards()
    assert (shards.name, shards.share().first, shards.owner("a")) == ("", True, shards.host)
    assert shards.share().whole
    assert shards.share().of(["a", "b"]).all()
    assert Share().among(["a"]) == {"a"}


def test_a_host_that_is_none_of_them_judges_nothing():
    with pytest.raises(InputError, match=r"called x, which is none of `\[shards\] hosts` \(a, b\)"):
        Shards(("a", "b"), "x").share()


def test_a_choice_is_asked_about_our_metrics_alone():
    asked = []

    def select(names):
        asked.extend(names)
        return np.array([name.startswith("svc") for name in names], np.bool_)

    names = [f"{kind}.api{at:02}" for kind in ("svc", "db") for at in range(20)]
    share = Shards(("a", "b"), "b").share()
    chosen = Reading(select, lambda: 1.0, 0, share=share).chosen
    found = {name for name, kept in zip(names, chosen(names).tolist(), strict=True) if kept}
    assert set(asked) == share.among(names)
    assert found == {name for name in asked if name.startswith("svc")}
    assert 0 < len(found) < 20
    assert Reading(select, lambda: 1.0, 0).chosen is select
    assert Reading(None, lambda: 1.0, 0).chosen is None


def test_hosts_list_what_is_theirs_by_the_bytes_that_are_stored():
    """Bytes that are no text, names that look like them, keys without the namespace: named as by one host, owned once."""
    hosts = ("a", "b", "c")
    keys = [b"metrics.%d" % at for at in range(40)]
    keys += [b"metrics.\xff%d" % at for at in range(20)] + [b"metrics.\\xff%d" % at for at in range(20)]
    keys += [b"%d" % at for at in range(10)] + ["metrics.über~".encode(), b"metrics.", b"metrics.a\n\x00"]
    with redis_server() as server:
        server.client.sadd("metrics.unique_metrics", *keys)

        def listed(share):
            source = RedisSource(RedisSettings(server.url), share=share)
            try:
                return source.list()
            finally:
                source.close()

        found = {host: listed(Shards(hosts, host).share()) for host in hosts}
        everything = listed(Share())
    assert len(set(everything)) == len(keys)
    owner = [hosts[adler32(key.removeprefix(b"metrics.")) % 3] for key in sorted(keys)]
    for host in hosts:
        assert found[host] == [name for name, own in zip(everything, owner, strict=True) if own == host]


def test_a_share_goes_on_knowing_names_that_do_not_say_their_bytes():
    share = Shards(("a", "b", "c"), "a").share()
    raw = next(
        b"\xff%d" % at
        for at in range(100)
        if zlib.adler32(b"\xff%d" % at) % 3 == 0 and zlib.adler32(b"\\xff%d" % at) % 3
    )
    name = raw.decode("utf-8", "backslashreplace")
    assert not share.holds(name)
    share.learn([name, "plain"], [raw, b"plain"])
    assert share.holds(name)
    assert share.holds("plain") == (zlib.adler32(b"plain") % 3 == 0)


def test_what_is_nobody_s_falls_to_the_first_and_to_whoever_is_alone_in_a_source():
    hosts = ("a", "b")
    assert Shards(hosts, "a").share().first
    assert Shards(hosts, "b", ("a",)).share().first
    share = Shards(hosts, "b").share()
    ours = sorted(share.among(f"m{at}" for at in range(20)))
    choose = share.narrow(None)
    assert not share.first, "nothing is known of the source yet"
    choose(ours)
    assert share.first
    choose(["m0", *ours] if "m0" not in ours else ["m1", *ours])
    assert (share.others > 0, share.first) == (True, False)
