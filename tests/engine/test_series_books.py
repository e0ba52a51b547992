"""What siblings are told of series: resolutions, density and counters; whole at first, then what changed, and in bulk."""

import json
import zlib

import numpy as np
import pyarrow as pa
import pytest
from conftest import SHARED
from hypothesis import given
from hypothesis import strategies as st
from rigs.books import MINUTE, START, Desk, steady
from rigs.examples import examples
from rigs.redis import redis_server

from ridgeline.engine.prepare.density import density, look
from ridgeline.engine.run.books import series as books
from ridgeline.engine.run.books.named import Named
from ridgeline.engine.run.books.series import Facts, Noted
from ridgeline.io.matrix import MetricMatrix

AUTO = '[preparation]\ncounters = "auto"\nnon_derivative = ["never"]'
EPOCH = "skyline_set_as_of_"


def growing(points=200, seed=0):
    return np.cumsum(np.random.default_rng(seed).poisson(30, points).astype(float))


def stamped(*rows):
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    stamps = np.concatenate([np.sort(row) for row in rows]).astype(np.int64)
    names = pa.array([f"m{at}" for at in range(len(rows))])
    return MetricMatrix.from_columns(names, offsets, stamps, np.ones(len(stamps)))


@pytest.fixture
def desk(tmp_path):
    with redis_server() as server:
        yield Desk(server.client, server.url, tmp_path, extra=AUTO)


def minutes_of(rule, clock):
    """Timestamps of a series of the recorded scenario, by the rules that its README gives."""
    newest = clock - 20
    grid = newest - (newest - 1_700_000_100) % MINUTE
    every = grid - MINUTE * np.arange(1440)[::-1]
    number = int(rule.lstrip("abcdefghijklmnopqrstuvwxyz") or 0)
    kind = rule.rstrip("0123456789")
    if kind == "g":
        whole = number <= 60 and 60 % number == 0
        last = newest - (newest - 1_700_000_100) % number if whole else newest // number * number
        return last - number * np.arange(1440 if number < 60 else max(86400 // number, 3))[::-1]
    return {
        "b": lambda: every[every <= newest // 300 * 300],
        "half": lambda: every[every // 60 % 2 == 0],
        "tie": lambda: every[every // 60 % 3 != 0],
        "jitter": lambda: every + every // 60 * 7 % 7 - 3,
        "sparse": lambda: every[every // 60 * 7919 % 10 < number],
        "n": lambda: every[-number:],
        "c": lambda: every,
    }[kind]()


def test_resolution_and_density_are_those_that_were_recorded(shared):
    folder = SHARED / "golden" / "manager"
    keys = json.loads((folder / "runs" / "1" / "redis.json").read_text())["keys"]
    resolutions, shares = (keys[key]["value"] for key in (books.RESOLUTIONS, books.SPARSITY))
    named = {row["name"]: row["rule"] for row in json.loads((folder / "names.json").read_text())["names"]}
    left_out = (
        "dead",
        "growing",
        "fading",
        "garbage",
        "emptystr",
        "scalar",
        "nils",
        "future",
        "old",
        "shuffled",
        "dupes",
    )
    chosen = [name for name, rule in named.items() if rule not in left_out and name in resolutions]
    found = density(look(stamped(*(minutes_of(named[name], 1_700_000_120) for name in chosen)), 86400), 86400)
    assert len(chosen) > 200
    assert dict(zip(chosen, map(str, found.resolution.tolist()), strict=True)) == {n: resolutions[n] for n in chosen}
    told = {name: repr(share) for name, share in zip(chosen, found.sparsity.tolist(), strict=True)}
    recorded = {name: shares[f"metrics.{name}"] for name in chosen if f"metrics.{name}" in shares}
    differing = {name for name, share in recorded.items() if told[name] != share}
    assert differing == {"res.daily.v"}, "three daily points fill one window of a day once, not three times"


def test_a_series_of_one_point_has_no_resolution():
    found = density(look(stamped([START], [START, START], [], [START, START + 7]), 86400), 86400)
    assert found.resolution.tolist() == [0, 0, 0, 60]
    assert found.sparsity.tolist()[:3] == [0.0] * 3


def test_all_is_told_at_first(desk):
    desk.metrics = {
        "gauge": (steady(), 20),
        "counter": (growing(), 20),
        "never.so": (growing(), 20),
        "one": (steady(points=1), 20),
    }
    assert desk.run().exit == 0
    assert desk.hash(books.RESOLUTIONS) == dict.fromkeys(["gauge", "counter", "never.so"], "60")
    assert desk.hash(books.SPARSITY) == dict.fromkeys(["metrics.gauge", "metrics.counter", "metrics.never.so"], "13.89")
    assert desk.set(books.POPULATED) is None
    assert desk.set(books.COUNTERS) == {"metrics.counter", f"{EPOCH}{START}"}
    assert desk.set(books.OTHERS) == {"metrics.gauge", "metrics.never.so", "metrics.one", f"{EPOCH}{START}"}
    assert (desk.text(books.TIMER), desk.client.ttl(books.TIMER) > 1700) == (str(START), True)


def commands(desk):
    """What a run writes about series, in words."""
    with desk.client.monitor() as monitor:
        desk.run(store=False)
        desk.client.execute_command("ECHO", "the-end")
        said = []
        while not (line := monitor.next_command()["command"]).startswith("ECHO the-end"):
            said.append(line)
    keys = (books.RESOLUTIONS, books.SPARSITY, books.POPULATED, books.COUNTERS, books.OTHERS, books.DIGESTS)
    written = [line.split(" ", 2) for line in said if line.split(" ", 1)[0] not in {"GET", "MGET", "EXPIRE", "PERSIST"}]
    return [line for line in written if any(key in " ".join(line[1:2]) for key in keys)]


def test_a_fleet_that_stays_as_it_is_costs_no_command(desk):
    desk.metrics = {f"m{at}": (growing(seed=at) if at % 2 else steady(at), 20) for at in range(60)}
    desk.run()
    assert commands(desk) == []
    desk.later(MINUTE)
    desk.store()
    assert commands(desk) == []


def test_then_what_changed_is_told(desk):
    desk.metrics = {f"m{at}": (steady(at), 20) for at in range(60)} | {"turns": (growing(), 20)}
    desk.run()
    desk.later(MINUTE)
    desk.metrics["turns"] = (steady(points=190), 20)
    desk.store()
    said = commands(desk)
    assert sum(len(line[2].split()) for line in said if len(line) == 3) < 100, "of a few metrics, not of all"
    assert desk.hash(books.SPARSITY)["metrics.turns"] == "13.19"
    assert "metrics.turns" in desk.set(books.OTHERS) - desk.set(books.COUNTERS)
    assert len(desk.set(books.OTHERS)) == 62


def test_what_is_gone_is_dropped_with_the_next_whole_telling(desk):
    desk.metrics = {"stays": (growing(), 20), "goes": (growing(seed=1), 20)}
    desk.run()
    desk.metrics.pop("goes")
    desk.later(MINUTE)
    desk.run()
    assert "metrics.goes" in desk.set(books.COUNTERS)
    desk.later(books.PERIOD)
    desk.run()
    assert desk.set(books.COUNTERS) == {"metrics.stays", f"{EPOCH}{desk.now}"}
    assert desk.hash(books.SPARSITY).keys() == {"metrics.stays"}
    assert desk.hash(books.RESOLUTIONS).keys() == {"stays", "goes"}, "as Skyline's, which others rely on"


def test_a_part_of_the_fleet_is_told_alone_and_the_next_run_tells_all(desk):
    desk.metrics = {"a.one": (growing(), 20), "b.one": (growing(seed=1), 20)}
    desk.run()
    desk.metrics |= {"a.one": (steady(), 20), "b.one": (steady(2), 20)}
    desk.run(match="a.")
    assert (desk.set(books.COUNTERS), "metrics.a.one" in desk.set(books.OTHERS)) == (
        {"metrics.b.one", f"{EPOCH}{START}"},
        True,
    )
    desk.metrics["a.one"] = (growing(), 20)
    desk.run()
    assert desk.set(books.COUNTERS) == {"metrics.a.one", f"{EPOCH}{START}"}


def test_without_counters_nothing_is_said_of_them(desk):
    desk.extra = ""
    desk.client.sadd(books.COUNTERS, "metrics.theirs")
    desk.metrics = {"counter": (growing(), 20)}
    desk.run()
    assert desk.set(books.COUNTERS) == {"metrics.theirs"}
    assert desk.set(books.OTHERS) is desk.text(books.TIMER) is None
    assert desk.hash(books.RESOLUTIONS) == {"counter": "60"}


@pytest.mark.parametrize("request_", [{"dry_run": True}, {"check_airgaps_only": True}])
def test_runs_that_tell_nothing(desk, request_):
    desk.metrics = {"counter": (growing(), 20)}
    desk.run(**request_)
    assert desk.hash(books.RESOLUTIONS) == {}
    desk.extra = AUTO + "\n[analysis]\nbookkeeping = false"
    desk.run()
    assert desk.hash(books.RESOLUTIONS) == {}


@pytest.mark.parametrize("text", ["", "nonsense", "12", "12 ###", "12 AAA=", "x AAAA"])
def test_notes_that_make_no_sense_are_none(desk, text):
    assert Noted.read(text) is None or len(Noted.read(text).digests) == 0
    desk.metrics = {"counter": (growing(), 20)}
    desk.client.set(books.DIGESTS, text)
    assert desk.run().exit == 0
    assert "metrics.counter" in desk.set(books.COUNTERS)


NAMES = [f"some.metric.{at}" for at in range(400)]


def facts(resolution, sparsity, counter):
    return facts_of(NAMES[: len(resolution)], np.array(resolution), np.array(sparsity, float), np.array(counter, bool))


def facts_of(names, *columns):
    named = Named(names)
    return Facts(named.some, named.hashes(), *columns)


@examples(25)
@given(
    rows=st.lists(st.tuples(st.integers(1, 90_000), st.integers(0, 40_000), st.booleans()), min_size=1, max_size=200),
    change=st.integers(0, 2**30),
    part=st.integers(0, 2),
)
def test_a_digest_tells_any_change_and_is_read_back(rows, change, part):
    before = facts(*zip(*[(step, share / 100, grows) for step, share, grows in rows], strict=True))
    at = change % len(rows)
    step, share, grows = rows[at]
    other = [(step + 1, share, grows), (step, share + 1, grows), (step, share, not grows)][part]
    after = facts(*zip(*[(a, b / 100, c) for a, b, c in [*rows[:at], other, *rows[at + 1 :]]], strict=True))
    (old, shares), (new, _) = before.digests(), after.digests()
    assert np.flatnonzero(old != new).tolist() == [shares[at]]
    assert Noted.read(Noted(START, old).text()).digests.tolist() == old.tolist()
    order = np.argsort([zlib.crc32(name.encode()) for name in before.metrics])
    shuffled = facts_of(
        [before.metrics[k] for k in order], before.resolution[order], before.sparsity[order], before.counter[order]
    )
    assert shuffled.digests()[0].tolist() == old.tolist(), "whatever the order of the source"
