"""The books for Skyline's siblings over several runs: metrics appear, persist, go quiet, return, and leave."""

import ast

import pytest
from rigs.books import MINUTE, START, Desk, flat, spike, steady
from rigs.http import http_server
from rigs.redis import redis_server

from ridgeline.engine.run.turn import Turn

BORING, TOO_SHORT, STALE = "analyzer.boring", "analyzer.too_short", "analyzer.stale"
NORMAL, REAL = "analyzer.not_anomalous_metrics", "analyzer.real_anomalous_metrics"
SEEN, ANALYSED = "analyzer.metrics.last_timeseries_timestamp", "analyzer.metrics.last_analyzed_timestamp"
PERIODS = "analyzer.metrics_manager.custom_stale_periods"
MARK = "_updated_at_20231114221320"  # of START


@pytest.fixture
def desk(tmp_path):
    with redis_server() as server:
        yield Desk(server.client, server.url, tmp_path)


def parsed(members):
    return {tuple(ast.literal_eval(member)) for member in members}


def test_the_first_run_fills_the_books(desk):
    desk.metrics = {
        "a.b'c": (steady(), 20),
        "hit": (spike(), 20),
        "flat": (flat(), 20),
        "short": (steady(points=20), 20),
        "old": (steady(), 501),
        "edge": (steady(3), 500),
    }
    desk.client.sadd(REAL, "residue")
    desk.client.sadd("analyzer.anomalous_metrics", "residue")
    desk.client.sadd("analyzer.all_anomalous_metrics", "residue")
    report = desk.run()
    assert report.exit == 0
    assert desk.shape() == {
        "analyzer": ("string", 120),
        "redis": ("string", 120),
        "analyzer.algorithm.exception.metric.sets": ("string", 300),
        BORING: ("set", None),
        TOO_SHORT: ("set", None),
        STALE: ("set", None),
        NORMAL: ("set", None),
        f"{REAL}.{START}": ("set", 900),
        SEEN: ("hash", None),
        ANALYSED: ("hash", None),
        "analyzer.run_time": ("hash", None),
        "analyzer.total_metrics": ("hash", None),
        "analyzer.total_analyzed": ("hash", None),
        "namespace.analysed_events.analyzer.2023-11-14": ("hash", 1296000),
        "analyzer.last_all_alerts": ("string", None),
        "analyzer.metrics_manager.resolutions": ("hash", None),
        "analyzer.metrics_manager.hash_key.metrics_data_sparsity": ("hash", None),
    }
    assert desk.text("analyzer") == desk.text("redis") == str(START)
    assert desk.set(BORING) == {MARK, "flat"}
    assert desk.set(TOO_SHORT) == {MARK, "short"}
    assert desk.set(STALE) == {MARK, "old"}
    assert desk.set(NORMAL) == {f"""["a.b'c", {START - 20}]"""}
    assert parsed(desk.set(f"{REAL}.{START}")) == {(400.0, "hit", START - 20)}
    newest = str(START - 20)
    assert desk.hash(ANALYSED) == {"a.b'c": newest, "hit": newest, "edge": str(START - 500)}
    assert desk.hash(SEEN) == dict.fromkeys(["a.b'c", "hit", "flat", "short"], newest) | {
        "old": str(START - 501),
        "edge": str(START - 500),
    }
    assert desk.hash("analyzer.total_metrics") == {"value": "6", "timestamp": str(START)}
    assert desk.hash("analyzer.total_analyzed") == {"value": "3", "timestamp": str(START)}
    seconds = desk.hash("analyzer.run_time")
    assert 0 < float(seconds["value"]) < 30
    assert seconds["timestamp"] == str(START)


def test_what_ends_leaves_the_sets_and_what_was_is_kept_beside_them(desk):
    desk.metrics = {"m": (steady(), 0), "once": (flat(), 0), "still": (flat(), 0), "grows": (steady(points=99), 0)}
    desk.run()
    for minutes in range(1, 5):
        desk.later(MINUTE)
        desk.metrics |= {"once": (steady(2), 0), "grows": (steady(points=100), 0)}
        desk.run()
        members, marks = desk.exceptions(BORING)
        assert (members, len(marks)) == ({"still"}, 1)
        assert desk.exceptions(TOO_SHORT)[0] == set()
        assert desk.set(f"aet.{BORING}") is None, f"the period of 300 s is not over after {minutes} min"
    desk.later(MINUTE)
    desk.run()
    assert desk.exceptions(f"aet.{BORING}")[0] == {"still"}
    assert desk.exceptions(f"aet.{TOO_SHORT}")[0] == set()
    assert desk.lives("analyzer.algorithm.exception.metric.sets") == 300
    assert desk.text("analyzer.algorithm.exception.metric.sets") == str(START + 300)


def test_what_goes_quiet_is_stale_for_as_long_as_it_is(desk):
    desk.metrics = {"goes": (steady(), 0), "stays": (steady(2), 0)}
    found = []
    for minute in range(12):
        age = minute * MINUTE if minute < 11 else 0
        desk.metrics["goes"] = (steady(points=150), age)
        desk.run()
        found.append((desk.exceptions(STALE)[0], desk.exceptions(f"aet.{STALE}")[0]))
        normal = {metric for metric, _ in parsed(desk.set(NORMAL))}
        assert normal == ({"stays"} if age > 500 else {"goes", "stays"})
        desk.later(MINUTE)
    none, goes = set(), {"goes"}
    assert found == [(none, none)] * 9 + [(goes, none), (goes, goes), (none, goes)]


def test_an_anomaly_moves_through_the_books(desk):
    desk.metrics = {"m": (steady(), 0), "n": (steady(2), 0)}
    kept = []
    for values in (steady(), spike(), spike(), steady()):
        desk.metrics["m"] = (values, 0)
        desk.run()
        normal = parsed(desk.set(NORMAL))
        before = parsed(desk.set(f"aet.{NORMAL}") or ())
        kept.append((("m", desk.now) in normal, ("m", desk.now - MINUTE) in before))
        assert desk.set(REAL) is None
        desk.later(MINUTE)
    assert kept == [(True, False), (False, True), (False, False), (True, False)]
    epochs = {key.decode().rpartition(".")[2] for key in desk.client.keys(f"{REAL}.*")}
    assert epochs == {str(START + MINUTE), str(START + 2 * MINUTE)}
    desk.later(900)
    assert not desk.client.keys(f"{REAL}.*")


def test_a_fleet_of_which_nothing_is_normal_empties_the_sets(desk):
    desk.metrics = {"m": (steady(), 0), "n": (steady(2), 0)}
    desk.run()
    desk.metrics = {"m": (flat(), 0), "n": (flat(), 0)}
    for _ in range(2):
        desk.later(MINUTE)
        desk.run()
    assert desk.set(NORMAL) is desk.set(f"aet.{NORMAL}") is None


def test_a_run_that_saw_a_part_leaves_the_others_where_they_were(desk, monkeypatch):
    desk.metrics = {"m": (steady(), 0), "unseen": (flat(), 0), "was": (flat(), 0), "is": (flat(), 0)}
    desk.run()
    del desk.metrics["unseen"]
    desk.metrics["was"] = (steady(2), 0)
    desk.later(MINUTE)
    with monkeypatch.context() as patch:
        patch.setattr(Turn, "whole", property(lambda _: False))
        desk.run()
    assert desk.exceptions(BORING) == ({"unseen", "is"}, {"_updated_at_20231114221420"})
    desk.later(MINUTE)
    desk.run()
    assert desk.exceptions(BORING)[0] == {"is"}


def test_rules_are_written_as_skyline_writes_them(desk):
    desk.extra = """
[[alert]]
match = "day."
strategy = "syslog"
expiration = 600
second_order_hours = 24
[[alert]]
match = "app.o'clock"
strategy = "console|syslog"
expiration = "5m"
"""
    desk.metrics = {"m": (steady(), 0)}
    desk.run()
    assert desk.text("analyzer.last_all_alerts") == repr(
        [["app.o'clock", "console", 300], ["app.o'clock", "syslog", 300], ["day.", "syslog", 600, 24]]
    )


def test_own_stale_periods_are_published_and_taken_back(desk):
    desk.metrics = {"late.a": (steady(), 700), "m": (steady(2), 0)}
    desk.client.hset(PERIODS, "of.another", "60")
    desk.run()
    assert desk.hash(PERIODS) == {"of.another": "60"}, "who publishes nothing takes nothing away"
    desk.extra = '[[override]]\nmatch = "late."\nstale_period = "2h"\n[[override]]\nmatch = "m"\nconsensus = 7\n'
    desk.run()
    assert desk.hash(PERIODS) == {"late.a": "7200"}
    assert desk.exceptions(STALE)[0] == set()
    assert {metric for metric, _ in parsed(desk.set(NORMAL))} == {"m"}, "too old for those who read the set"
    desk.extra = ""
    for _ in range(2):
        desk.run()
        assert desk.hash(PERIODS) == {}
    desk.client.hset(PERIODS, "of.another", "60")
    desk.run()
    assert desk.hash(PERIODS) == {"of.another": "60"}


def test_what_is_newly_stale_is_listed_by_its_key(desk):
    desk.extra = '[stale_digest]\nstrategy = "console"\nafter = 300\n'
    desk.metrics = {"m": (steady(), 0), "quiet": (steady(2), 301), "out": (steady(3), 501)}
    desk.run(json=True)
    assert desk.set("analyzer.alert_on_stale_metrics") == {"metrics.quiet"}
    desk.metrics["quiet"] = (steady(2), 0)
    desk.later(MINUTE)
    desk.run(json=True)
    assert desk.set("analyzer.alert_on_stale_metrics") is None


def test_panorama_is_told_of_alerts_that_somebody_received(desk):
    with http_server() as http:
        rule = '[[alert]]\nmatch = "hit"\nstrategy = "http"\nexpiration = 60\n'
        quiet = '[[alert]]\nmatch = "quiet"\nstrategy = "console"\nexpiration = 60\n'
        desk.extra = f'{rule}{quiet}[alerters.http]\nurl = "{http.url}"\n'
        desk.metrics = {"hit": (spike(), 20), "quiet.hi": (spike(2), 20)}
        desk.client.hset("panorama.alerts", f"{START - 86420}.old", "{}")
        desk.client.hset("panorama.alerts", f"{START - 86400}.young", "{}")
        desk.client.hset("panorama.alerts", "what.ever", "{}")
        assert desk.run(json=True).alerts["sent"] == 2
    name = f"{START - 20}.hit"
    assert desk.shape()[f"panorama.alert.{name}"] == ("string", 86400)
    assert ast.literal_eval(desk.text(f"panorama.alert.{name}")) == ["hit", START - 20, START]
    told = desk.hash("panorama.alerts")
    assert set(told) == {name, f"{START - 86400}.young"}
    assert ast.literal_eval(told[name]) == {"metric": "hit", "timestamp": START - 20, "alerted_at": START}
    assert not desk.client.exists(f"panorama.alert.{START - 20}.quiet.hi")


def test_panoramas_ids_reach_receivers_that_know_them(desk):
    desk.metrics = {"hit.a": (spike(), 0), "hit.b": (spike(2), 0)}
    desk.client.set(f"panorama.anomaly_id.{START}.hit.a", "4711")
    desk.client.set(f"panorama.anomaly_id.{START - MINUTE}.hit.b", "12")
    for payload, ids in (("skyline", {"hit.a": "4711", "hit.b": "None"}), ("ridgeline", {})):
        with http_server() as http:
            rule = '[[alert]]\nmatch = "hit"\nstrategy = "http"\nexpiration = 60\n'
            desk.extra = f'{rule}[alerters.http]\nurl = "{http.url}"\npayload = "{payload}"\n'
            assert desk.run().alerts["sent"] == 2
            bodies = [request.json["data"]["alert"] for request in http.requests if "data" in request.json]
        assert {body["metric"]: body["anomaly_id"] for body in bodies} == ids
        desk.later(MINUTE)


def test_a_run_of_some_metrics_says_nothing_of_the_fleet(desk):
    desk.metrics = {"a.m": (steady(), 0), "b.m": (steady(2), 0), "b.flat": (flat(), 0)}
    desk.run()
    before = {key: desk.client.dump(key) for key in desk.shape()}
    desk.later(MINUTE)
    desk.metrics |= {"a.m": (spike(), 0), "b.m": (flat(), 0)}
    desk.run(match="a.")
    after = {key: desk.client.dump(key) for key in desk.shape()}
    changed = {key for key in before if after[key] != before[key]}
    assert (set(after), changed) == (set(before), {SEEN, ANALYSED})
    assert desk.hash(SEEN) == {"a.m": str(desk.now), "b.m": str(START), "b.flat": str(START)}
    assert desk.notes()["runs"] == 1


@pytest.mark.parametrize("way", ["dry", "off", "airgaps"])
def test_no_books_where_none_are_to_be_kept(desk, way):
    desk.extra = "[analysis]\nbookkeeping = false\n" if way == "off" else ""
    desk.metrics = {"m": (spike(), 0), "flat": (flat(), 0)}
    desk.run(dry_run=way == "dry", check_airgaps_only=way == "airgaps")
    assert desk.shape() == {}


def test_problems_are_counted_for_a_while(desk):
    desk.metrics = {"m": (spike(), 0), "n": (steady(), 0)}
    desk.extra = (
        '[[alert]]\nmatch = ""\nstrategy = "http"\n[alerters.http]\nurl = "http://127.0.0.1:1/"\ntimeout = 0.5\n'
    )
    report = desk.run()
    assert report.exit == 70
    assert desk.text("analyzer.log.errors.per_minute") == "1"
    assert desk.lives("analyzer.log.errors.per_minute") == 120  # 119, in fact
    assert desk.text("analyzer") == str(START), "what was not sent does not mean that nobody is there"
