"""Passes over the lists that siblings read: each list against plain loops, and what may stand in their way."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.lists import configuration, hold, holding
from rigs.redis import redis_server
from rigs.waiting import until
from twins.lists import Rules, after_a_pass

from ridgeline.engine.cli.main import main
from ridgeline.engine.manage.once import Request, manage_once
from ridgeline.io.disk.lock import lock, lock_path
from ridgeline.io.errors import LockHeld, NoData, SourceUnavailable
from ridgeline.io.redis.connection import BoundedConnection
from ridgeline.io.shard import Shards
from ridgeline.skyline.metrics_manager import Metrics_Manager

NOW = 1_700_000_000
UNIQUE = "metrics.unique_metrics"
TIMES = {"analyzer.metrics_manager", "analyzer.metrics_manager.run_time"}
OURS = {"ridgeline.density", *(f"analyzer.metrics_manager.metrics_sparsity.{name}" for name in (
    "avg_sparsity", "metrics_fully_populated", "metrics_sparsity_increasing", "metrics_sparsity_decreasing"
))}  # fmt: skip


@pytest.fixture(scope="module")
def server():
    with redis_server() as server:
        yield server


def one_pass(rules, server, folder, now=NOW, **asked):
    return manage_once(Request(configuration(rules, server.url, folder), **asked), wall=lambda: now)


parts = st.sampled_from(["web01", "web02", "db", "cpu", "mem", "api", "errors", "x y", "a/b", "ü"])
names = st.lists(parts, min_size=1, max_size=4).map(".".join)
patterns = st.one_of(
    st.sampled_from(["web", "web01.cpu", "cpu.web01", ".*errors$", r"db\.(cpu|mem)", "stats", "api.db", "^web0[12]"]),
    names,
)
few = st.lists(patterns, max_size=3, unique=True).map(tuple)
seconds = st.sampled_from([500, 600, 700, 86400])
epochs = st.sampled_from([str(NOW - 200_000), str(NOW - 87_000), str(NOW - 60), str(NOW + 60), "1.7e9", "soon", "nan"])
timed = st.dictionaries(names, epochs, max_size=4)
prefixed = names.map("metrics.{}".format)
rule = st.tuples(
    patterns,
    st.sampled_from([("smtp",), ("http",), ("smtp", "http"), ("http", "smtp")]),
    st.sampled_from([60, 3600]),
    st.sampled_from([0, 24, 25, 168]),
)


@st.composite
def all_rules(draw):
    quiet = draw(few)
    return Rules(
        alerts=tuple(draw(st.lists(rule, max_size=5))),
        skip=draw(few),
        zero_fill=draw(few),
        last_known_value=draw(few),
        non_derivative=draw(few),
        counters=draw(few),
        stale=tuple(draw(st.dictionaries(patterns, seconds, max_size=3)).items()),
        windows=tuple(draw(st.dictionaries(patterns, seconds, max_size=3)).items()),
        quiet=quiet,
        batch=draw(few),
        name=draw(st.sampled_from(["", "web01", "api"])),
        mirage=draw(st.booleans()),
    )


@st.composite
def books(draw):
    """What Redis may hold before a pass: what the pass before left of another fleet, and what others wrote."""
    held = {
        key: draw(st.sets(names, max_size=4))
        for key in ("analyzer.unique_base_names", "analyzer.smtp_alerter_metrics", "aet.analyzer.unique_base_names",
                    "aet.analyzer.non_smtp_alerter_metrics", "metrics_manager.zero_fill_metrics",
                    "metrics_manager.batch_processing_namespaces")
    }  # fmt: skip
    held |= {key: draw(st.sets(prefixed, max_size=4)) for key in ("mirage.unique_metrics", "derivative_metrics")}
    held |= {
        key: draw(timed)
        for key in ("metrics_manager.api_skip_analysis", "metrics_manager.mute_alerts_on", "mirage.hash_key.metrics_resolutions",
                    "analyzer.metrics.last_timeseries_timestamp", "analyzer.metrics.last_analyzed_timestamp",
                    "analyzer.metrics_manager.custom_stale_periods", "metrics_manager.filesafe_base_names")
    }  # fmt: skip
    held["metrics_manager.longterm_non_derivative_metrics"] = draw(st.dictionaries(prefixed, epochs, max_size=3))
    since = st.sampled_from([NOW - 60, NOW - 90 * 86400, NOW - 91 * 86400]).map('{{"since":{}}}'.format)
    held["ridgeline.inactive"] = draw(st.dictionaries(names, since, max_size=3))
    held["metrics_manager.namespace.analysed_events"] = draw(
        st.dictionaries(
            st.sampled_from([str(NOW // 86400 * 86400 - 86400 * back) for back in (0, 20, 100)]), st.just("{}")
        )
    )
    counts = st.dictionaries(parts, st.integers(0, 10**6).map(str), max_size=2)
    for app, day in (
        ("analyzer", "2023-11-14"),
        ("mirage", "2023-11-14"),
        ("boundary", "2023-10-30"),
        ("analyzer", "2023-10-29"),
    ):
        held[f"namespace.analysed_events.{app}.{day}"] = draw(counts)
    return {key: value for key, value in held.items() if value}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(names, min_size=1, max_size=8), all_rules(), books())
def test_every_list_is_what_plain_loops_make_of_it(server, tmp_path, fleet, rules, before):
    hold(server.client, before | {UNIQUE: {f"metrics.{name}" for name in fleet}})
    report = one_pass(rules, server, tmp_path)
    found = holding(server.client)
    wanted = after_a_pass(fleet, rules, before, NOW)
    untouched = {key: value for key, value in before.items() if key.startswith("namespace.") or key in {
        "derivative_metrics", "metrics_manager.longterm_non_derivative_metrics"
    }}  # fmt: skip
    kept = {key: value for key, value in found.items() if key not in TIMES | OURS | {UNIQUE}}
    assert kept == wanted | untouched
    assert (report.metrics, report.problems, report.exit) == (len(fleet), [], 0)
    for key, change in report.changes.items():
        old, new = before.get(key, {}), found.get(key, {})
        if isinstance(new, str):
            assert (list(change.added), list(change.removed)) == ([new], [old] if old else [])
            continue
        grown = set(new) - set(old) | (
            {name for name in new if new[name] != old.get(name)}
            if isinstance(new, dict) and isinstance(old, dict)
            else set()
        )
        assert set(change.added) == grown
        assert set(change.removed) == set(old) - set(new)
    assert {
        key for key in wanted.keys() | before.keys() if wanted.get(key) != before.get(key)
    } - untouched.keys() == set(report.changes)
    again = one_pass(rules, server, tmp_path)
    assert (again.changes, again.problems) == ({}, [])
    assert {key: value for key, value in holding(server.client).items() if key not in TIMES} == {
        key: value for key, value in found.items() if key not in TIMES
    }


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(names, min_size=1, max_size=6), all_rules(), books())
def test_a_dry_run_says_what_would_change_and_writes_nothing(server, tmp_path, fleet, rules, before):
    hold(server.client, before | {UNIQUE: {f"metrics.{name}" for name in fleet}})
    held = holding(server.client)
    told = one_pass(rules, server, tmp_path, dry_run=True)
    assert holding(server.client) == held
    assert told.changes == one_pass(rules, server, tmp_path).changes


WEB = Rules(alerts=(("web", ("smtp",), 60, 48),), skip=("db",), zero_fill=("api",))
HOSTILE = ["a\nb", "a\0b", "x" * 60_000, "metrics.twice", " ", "\\", "*", "[", "ü.ö", "ridgeline.density"]


def list_names(client, names):
    client.sadd(UNIQUE, *(f"metrics.{name}" for name in names))


def test_hostile_names_are_names(server, tmp_path):
    server.client.flushall()
    list_names(server.client, HOSTILE)
    server.client.sadd(UNIQUE, "no.prefix", b"metrics.\xff\xfe", b"", b"metrics.")
    first = one_pass(WEB, server, tmp_path)
    assert (first.problems, first.exit) == ([], 0)
    shown = {*HOSTILE, "no.prefix", "\\xff\\xfe", "", "~"}  # two keys that come to one name are told apart
    held = holding(server.client)
    assert held["analyzer.unique_base_names"] == held["aet.analyzer.non_smtp_alerter_metrics"] == shown
    assert one_pass(WEB, server, tmp_path).changes == {}
    server.client.srem(UNIQUE, *(f"metrics.{name}" for name in HOSTILE))
    gone = one_pass(WEB, server, tmp_path)
    assert set(gone.changes["ridgeline.inactive"].added) == set(HOSTILE)
    assert one_pass(WEB, server, tmp_path).changes == {}


def test_members_that_are_no_text_go_like_others(server, tmp_path):
    server.client.flushall()
    list_names(server.client, ["web01"])
    one_pass(WEB, server, tmp_path)
    whole = holding(server.client)
    for key in ("analyzer.unique_base_names", "aet.analyzer.unique_base_names", "metrics_manager.zero_fill_metrics"):
        server.client.sadd(key, b"\xff\xfe", b"\xc3")
    server.client.hset("mirage.hash_key.metrics_resolutions", mapping={b"\xff": b"\xfe", "web01": b"\xff"})
    server.client.hset("analyzer.metrics.last_timeseries_timestamp", mapping={b"\xff": "1"})
    assert len(one_pass(WEB, server, tmp_path).changes["mirage.hash_key.metrics_resolutions"].removed) == 1
    assert one_pass(WEB, server, tmp_path).changes == {}
    apart = TIMES | {"ridgeline.inactive"}
    found = holding(server.client)
    assert {key: found[key] for key in found.keys() - apart} == {key: whole[key] for key in whole.keys() - apart}


def test_a_name_that_is_too_long_is_left_out_and_said(server, tmp_path):
    server.client.flushall()
    list_names(server.client, ["web01", "y" * 70_000])
    report = one_pass(WEB, server, tmp_path)
    assert report.exit == 70
    assert "1 names are longer than 65,536 bytes" in report.problems[0]
    assert holding(server.client)["analyzer.smtp_alerter_metrics"] == {"web01"}


@pytest.mark.parametrize("key", [
    "analyzer.unique_base_names", "aet.analyzer.unique_base_names", "analyzer.smtp_alerter_metrics", "mirage.unique_metrics",
    "mirage.hash_key.metrics_resolutions", "metrics_manager.zero_fill_metrics", "metrics_manager.api_skip_analysis",
    "metrics_manager.filesafe_base_names", "derivative_metrics", "ridgeline.inactive", "ridgeline.density", "analyzer.last_all_alerts",
    "analyzer.metrics_manager.hash_key.metrics_data_sparsity", "namespace.analysed_events.mirage.2023-11-14",
])  # fmt: skip
def test_a_key_of_another_type_is_said_and_left_and_costs_only_what_depends_on_it(server, tmp_path, key):
    server.client.flushall()
    list_names(server.client, ["web01", "db", "api.x y"])
    whole = one_pass(WEB, server, tmp_path)
    expected = holding(server.client)
    server.client.flushall()
    list_names(server.client, ["web01", "db", "api.x y"])
    server.client.rpush(key, "a list")
    report = one_pass(WEB, server, tmp_path)
    assert report.exit == 70
    (problem,) = report.problems
    assert problem.startswith(f"{key} of Redis at ")
    assert problem.endswith(", and is left as it is")
    found = holding(server.client)
    assert found.pop(key) == "list"
    missing = {name for name in expected.keys() - found.keys() if name not in TIMES} - {key}
    assert missing <= {"analyzer.metrics_manager.analyzer_skip"}  # what depends on the API's skips is not known
    assert {name: found[name] for name in found if name not in TIMES} == {
        name: value for name, value in expected.items() if name not in TIMES | missing | {key}
    }
    assert whole.problems == []


def test_emptied_lists_are_cleared_and_what_comes_back_is_active_again(server, tmp_path):
    server.client.flushall()
    list_names(server.client, ["web01", "db", "api"])
    one_pass(WEB, server, tmp_path)
    server.client.srem(UNIQUE, "metrics.web01", "metrics.api")
    one_pass(WEB, server, tmp_path, now=NOW + 300)
    held = holding(server.client)
    assert "analyzer.smtp_alerter_metrics" not in held
    assert "mirage.unique_metrics" not in held
    assert "metrics_manager.zero_fill_metrics" not in held
    assert {name: json.loads(text) for name, text in held["ridgeline.inactive"].items()} == {
        name: {"since": NOW + 300} for name in ("web01", "api")
    }
    list_names(server.client, ["web01"])
    report = one_pass(WEB, server, tmp_path, now=NOW + 600)
    assert report.changes["ridgeline.inactive"].removed == ["web01"]
    assert set(holding(server.client)["ridgeline.inactive"]) == {"api"}


def test_without_a_metric_nothing_is_changed(server, tmp_path):
    server.client.flushall()
    list_names(server.client, ["web01"])
    one_pass(WEB, server, tmp_path)
    server.client.delete(UNIQUE)
    held = holding(server.client)
    with pytest.raises(NoData, match=r"no metric is listed in metrics\.unique_metrics"):
        one_pass(WEB, server, tmp_path)
    assert holding(server.client) == held


def test_a_listing_that_was_broken_off_changes_nothing(server, tmp_path, monkeypatch):
    server.client.flushall()
    list_names(server.client, ["web01"])
    one_pass(WEB, server, tmp_path)
    list_names(server.client, ["web02", "web03"])
    held = holding(server.client)
    monkeypatch.setattr("ridgeline.io.redis.listing.MOST", 1)
    with pytest.raises(SourceUnavailable, match="there are more than 1 names; nothing is changed"):
        one_pass(WEB, server, tmp_path)
    assert holding(server.client) == held


def test_densities_tell_what_changed_within_an_hour(server, tmp_path):
    server.client.flushall()
    told = "analyzer.metrics_manager.hash_key.metrics_data_sparsity"
    denser, sparser = (f"analyzer.metrics_manager.metrics_sparsity_{way}" for way in ("decreasing", "increasing"))
    list_names(server.client, ["a", "b", "c"])
    server.client.hset(
        told, mapping={"metrics.a": "100.0", "metrics.b": "50.0", "metrics.gone": "99.0", "metrics.c": "much"}
    )
    full = "analyzer.metrics_manager.metrics_fully_populated"
    server.client.sadd(full, "metrics.a", "metrics.gone")
    first = one_pass(WEB, server, tmp_path)
    assert first.changes[told].removed == ["metrics.gone"]
    assert set(holding(server.client)[told]) == {"metrics.a", "metrics.b", "metrics.c"}
    assert holding(server.client)[full] == {"metrics.a"}
    assert first.numbers == {
        "avg_sparsity": 75.0, "metrics_fully_populated": 1, "metrics_sparsity_increasing": 0, "metrics_sparsity_decreasing": 0,
    }  # fmt: skip
    server.client.hset(told, mapping={"metrics.a": "99.0", "metrics.b": "60.0", "metrics.c": "10.0"})
    for now in (NOW + 300, NOW + 3600):
        one_pass(WEB, server, tmp_path, now=now)
        held = holding(server.client)
        assert (held[denser], held[sparser]) == ({"metrics.b"}, {"metrics.a"})
    late = one_pass(WEB, server, tmp_path, now=NOW + 300 + 3600)
    assert {denser, sparser} & holding(server.client).keys() == set()
    assert (late.numbers["metrics_sparsity_increasing"], late.numbers["metrics_sparsity_decreasing"]) == (0, 0)
    for nonsense in ("", "{}", "[]", '{"version":1,"rows":"AAAA"}', '{"version":1,"rows":7}', "\0"):
        server.client.set("ridgeline.density", nonsense)
        assert one_pass(WEB, server, tmp_path, now=NOW + 9000).exit == 0


def test_a_clock_that_was_ahead_tells_of_no_change_for_long(server, tmp_path):
    server.client.flushall()
    told = "analyzer.metrics_manager.hash_key.metrics_data_sparsity"
    denser, sparser = (f"analyzer.metrics_manager.metrics_sparsity_{way}" for way in ("decreasing", "increasing"))
    list_names(server.client, ["a", "b"])
    for now, first, second in ((NOW, "50.0", "50.0"), (NOW + 86400, "60.0", "40.0")):
        server.client.hset(told, mapping={"metrics.a": first, "metrics.b": second})
        one_pass(WEB, server, tmp_path, now=now)
    held = holding(server.client)
    assert (held[denser], held[sparser]) == ({"metrics.a"}, {"metrics.b"})
    right = one_pass(WEB, server, tmp_path, now=NOW + 300)
    assert {denser, sparser} & holding(server.client).keys() == set()
    assert (right.numbers["metrics_sparsity_increasing"], right.numbers["metrics_sparsity_decreasing"]) == (0, 0)


def test_another_pass_at_work_keeps_this_one_out(server, tmp_path):
    server.client.flushall()
    list_names(server.client, ["web01"])
    config = configuration(WEB, server.url, tmp_path)
    path = lock_path("manage", config.source.settings.identity(), tmp_path)
    with lock(path), pytest.raises(LockHeld):
        manage_once(Request(config))
    with lock(path):
        assert manage_once(Request(config, dry_run=True)).changes


def test_hosts_change_their_own_members_only_and_the_first_what_is_nobodys(server, tmp_path):
    fleet = [f"web{at:02d}.x y" for at in range(30)]
    server.client.flushall()
    list_names(server.client, fleet)
    told = "analyzer.metrics_manager.hash_key.metrics_data_sparsity", {f"metrics.{name}": "98.0" for name in fleet}
    server.client.hset(told[0], mapping=told[1])
    rules = replace(WEB, stale=(("web", 700),), batch=("web",))
    alone = configuration(rules, server.url, tmp_path)
    manage_once(Request(alone), wall=lambda: NOW)
    whole = holding(server.client)
    server.client.flushall()
    list_names(server.client, fleet)
    server.client.hset(told[0], mapping=told[1])
    shares = [Shards(("a", "b", "c"), host) for host in "abc"]
    for shards in shares:
        manage_once(Request(replace(alone, shards=shards)), wall=lambda: NOW)
        assert "analyzer.last_all_alerts" in holding(server.client)
    kept = {key: value for key, value in holding(server.client).items() if not key.startswith("ridgeline.density")}
    apart = TIMES | {"ridgeline.density"}  # each host has notes of its own
    assert {key: kept[key] for key in kept.keys() - apart} == {key: whole[key] for key in whole.keys() - apart}
    gone = [name for name in fleet if shares[1].share().holds(name)]
    server.client.srem(UNIQUE, *(f"metrics.{name}" for name in gone))
    for shards, removed in zip((shares[0], shares[2], shares[1]), (0, 0, len(gone)), strict=True):
        report = manage_once(Request(replace(alone, shards=shards)), wall=lambda: NOW)
        found = {key: len(change.removed) for key, change in report.changes.items()}
        assert found.get("analyzer.unique_base_names", 0) == removed > -1
        assert bool(report.changes) == bool(removed)


def test_a_right_that_is_missing_is_one_sentence_and_costs_one_family(server, tmp_path):
    server.client.flushall()
    list_names(server.client, ["web01", "db"])
    server.client.execute_command("ACL", "SETUSER", "curbed", "on", ">pw", "+@all", "~*", "-sadd")
    config = configuration(WEB, server.url, tmp_path, user=("curbed", "pw"))
    report = manage_once(Request(config), wall=lambda: NOW)
    assert report.exit == 70
    assert "does not let this user do that" in report.problems[0]
    assert "sadd" in report.problems[0]
    assert holding(server.client)["analyzer.last_all_alerts"]  # a family that needs no set is written


KILLED = """
import os, signal, sys
from pathlib import Path
from ridgeline.engine.config.load import load_config
from ridgeline.engine.manage.once import Request, manage_once
from ridgeline.io.redis.connection import BoundedSocket

whole = BoundedSocket.sendall

def part(self, data):
    if b"MULTI" not in data:
        return whole(self, data)
    whole(self, data[: int(float(sys.argv[2]) * len(data))])
    os.kill(os.getpid(), signal.SIGKILL)

BoundedSocket.sendall = part
manage_once(Request(load_config(Path(sys.argv[1]))))
"""


@pytest.mark.parametrize("shares", [[0.3, 0.6], pytest.param([at / 20 for at in range(20)], marks=pytest.mark.long)])
def test_a_pass_that_is_killed_leaves_lists_that_agree(server, tmp_path, shares):
    """A metric that moves from one class to the other is in exactly one of them, wherever in its writing the pass is killed."""
    fleet = {f"web{at:05d}".encode() for at in range(3000)}
    both = ("analyzer.smtp_alerter_metrics", "analyzer.non_smtp_alerter_metrics")
    server.client.flushall()
    server.client.sadd(UNIQUE, *(b"metrics." + name for name in fleet))
    one_pass(Rules(), server, tmp_path)
    config = tmp_path / "ridgeline.toml"
    for at, share in enumerate(shares):
        config.write_text(
            f'[source]\nurl = "{server.url}"\n[output]\ndirectory = "{tmp_path}"\n[[alert]]\nmatch = "web"\n'
            f'strategy = "{"http" if at % 2 else "smtp"}"\n[alerters.http]\nurl = "http://127.0.0.1:9/"\n'
            '[alerters.smtp]\nhost = "127.0.0.1"\nsender = "a@example.com"\ndefault_recipients = ["b@example.com"]\n'
        )
        killed = subprocess.run([sys.executable, "-c", KILLED, str(config), str(share)], timeout=120, check=False)
        assert killed.returncode == -signal.SIGKILL
        mailed, others = (server.client.smembers(key) for key in both)
        copied, rest = (server.client.smembers(f"aet.{key}") for key in both)
        assert (mailed, others) == (copied, rest)
        assert {frozenset(mailed), frozenset(others)} == {frozenset(), frozenset(fleet)}
    report = one_pass(replace(WEB, alerts=()), server, tmp_path)
    assert (report.exit, server.client.scard(both[1])) == (0, len(fleet))


def test_steady_passes_make_few_round_trips(server, tmp_path, monkeypatch):
    server.client.flushall()
    fleet = [f"web{at:05d}.cpu" for at in range(20_000)]
    for at in range(0, len(fleet), 1000):
        list_names(server.client, fleet[at : at + 1000])
    sent, send = [], BoundedConnection.send_packed_command
    monkeypatch.setattr(
        BoundedConnection,
        "send_packed_command",
        lambda self, *words, **asked: sent.append(0) or send(self, *words, **asked),
    )
    one_pass(WEB, server, tmp_path)
    first = len(sent)
    one_pass(WEB, server, tmp_path)
    assert first < 50
    assert len(sent) - first < 25


def test_the_command_says_what_changed(server, tmp_path, capsys):
    server.client.flushall()
    list_names(server.client, ["web01", "db"])
    file = tmp_path / "ridgeline.toml"
    textfile = tmp_path / "stats" / "ridgeline.prom"
    textfile.parent.mkdir()
    file.write_text(
        f'[source]\nurl = "{server.url}"\n[output]\ndirectory = "{tmp_path}"\n[analysis]\nskip = ["db"]\n'
        f'[statistics]\nprometheus_textfile = "{textfile}"\n'
    )
    assert main(["manage", "-c", str(file), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "    + db" in told
    assert told.endswith("dry run: nothing was written\n")
    assert not list(textfile.parent.iterdir())
    assert main(["manage", "-c", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() == {"metrics", "changes", "seconds"}
    assert found["changes"]["analyzer.metrics_manager.analyzer_skip"] == {"added": 1, "removed": 0}
    lines = (textfile.parent / "ridgeline_manage.prom").read_text().splitlines()
    assert "ridgeline_manage_metrics 2" in lines
    assert 'ridgeline_manage_changes{list="analyzer.metrics_manager.analyzer_skip"} 1' in lines
    assert main(["manage", "-c", str(file)]) == 0
    assert capsys.readouterr().out.startswith("2 metrics, nothing changed, ")
    file.write_text('[source]\nkind = "parquet"\npath = "x.parquet"\n')
    assert main(["manage", "-c", str(file)]) == 2
    assert "needs a Redis source" in capsys.readouterr().err


@pytest.mark.parametrize("trouble", ["no folder", "a link"])
def test_a_textfile_that_cannot_be_written_ends_74(server, tmp_path, capsys, trouble):
    server.client.flushall()
    list_names(server.client, ["web01"])
    stats = tmp_path / "stats"
    if trouble == "a link":
        stats.mkdir()
        (stats / "ridgeline_manage.prom").symlink_to(tmp_path / "elsewhere.prom")
    file = tmp_path / "ridgeline.toml"
    file.write_text(f'[source]\nurl = "{server.url}"\n[statistics]\nprometheus_textfile = "{stats}/ridgeline.prom"\n')
    assert main(["manage", "-c", str(file)]) == 74
    assert str(stats / "ridgeline_manage.prom") in capsys.readouterr().err
    assert not (tmp_path / "elsewhere.prom").exists()


def test_what_could_not_be_written_is_not_said_to_have_changed(server, tmp_path, capsys):
    server.client.flushall()
    list_names(server.client, ["web01"])
    file = tmp_path / "ridgeline.toml"
    file.write_text(f'[source]\nurl = "{server.url}"\n[output]\ndirectory = "{tmp_path}"\n')
    server.client.config_set("min-replicas-to-write", 1)
    try:
        assert main(["manage", "-c", str(file)]) == 70
    finally:
        server.client.config_set("min-replicas-to-write", 0)
    told = capsys.readouterr()
    assert " to change, not all of it written, " in told.out
    assert "NOREPLICAS" in told.err
    assert main(["manage", "-c", str(file)]) == 0
    assert " lists changed, " in capsys.readouterr().out


def test_skyline_has_it_by_its_own_name(server, tmp_path, monkeypatch):
    server.client.flushall()
    list_names(server.client, ["web01"])
    file = tmp_path / "ridgeline.toml"
    file.write_text(f'[source]\nurl = "{server.url}"\n[output]\ndirectory = "{tmp_path}"\n')
    monkeypatch.setenv("RIDGELINE_CONFIG", str(file))
    manager = Metrics_Manager(os.getpid())
    assert manager.metric_management_process(1).metrics == 1
    assert manager.report.changes
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        manager = Metrics_Manager(parent.pid)
        manager.start()
        until(lambda: manager.report is not None)
        parent.communicate(b"\n")
    manager.join(10)
    assert not manager.is_alive()
