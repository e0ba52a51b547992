"""What keeps a run from its books is one problem of the run's: the alerts are out, and it exits 70."""

import ast

import numpy as np
import pytest
from rigs.books import MINUTE, PASSWORD, START, Desk, flat, spike, steady
from rigs.http import http_server
from rigs.redis import proxy, redis_server
from rigs.runs import received

from ridgeline.alerters.testing.server import Answer
from ridgeline.io.redis.acl import statement

RULE = '[[alert]]\nmatch = ""\nstrategy = "http"\n[alerters.http]\nurl = "{url}"\n'
SKIPS = "metrics_manager.api_skip_analysis"


@pytest.fixture
def server():
    with redis_server() as running:
        yield running


@pytest.fixture
def http():
    with http_server() as running:
        yield running


@pytest.fixture
def desk(server, http, tmp_path):
    made = Desk(server.client, server.url, tmp_path, extra=RULE.format(url=http.url))
    made.metrics = {"hit": (spike(), 0), "flat": (flat(), 0), "m": (steady(), 0), "n": (steady(2), 0)}
    return made


def about_books(report):
    return [problem for problem in report.problems if "the books in Redis" in problem]


def act_as(desk, rights):
    desk.client.execute_command("ACL", "SETUSER", "u", "on", f">{PASSWORD}", *rights.split())
    desk.source = 'username = "u"\npassword_env = "PASSWORD"'


def test_a_user_of_the_rights_before_is_told_once_and_alerts_all_the_same(desk, http):
    said = statement("run", "u", features={"source", "alerts", "mutes"}).replace("%R~", "~")
    act_as(desk, said.split("PASSWORD", 1)[1])
    report = desk.run()
    assert (report.exit, report.alerts["sent"], received(http)) == (70, 1, ["hit"])
    marked, problem = about_books(report)
    assert "flux.filled_metrics" in marked
    assert "shows within 60 runs" in marked
    for told in (marked, problem):
        assert "does not let this user do that" in told
        assert "ACL" in told
    assert desk.shape() == {}


def test_a_right_that_is_missing_costs_what_needs_it_and_nothing_else(desk):
    act_as(desk, "allkeys +@all -hset")
    desk.run()
    desk.later(MINUTE)
    report = desk.run()
    assert report.exit == 70
    assert len(about_books(report)) == 1
    assert desk.exceptions("analyzer.boring") == ({"flat"}, {"_updated_at_20231114221420"})
    assert not desk.client.exists("analyzer.run_time")
    assert desk.text("analyzer") == str(desk.now)


def test_a_full_redis(desk, http):
    desk.run()
    before = {key: desk.client.dump(key) for key in desk.shape()}
    desk.later(MINUTE)
    desk.store()
    desk.client.config_set("maxmemory", 1)
    http.requests.clear()
    desk.metrics["hit"] = (steady(), 0)
    report = desk.run(store=False)
    assert report.exit == 70
    (problem,) = about_books(report)
    assert "is full and takes no writes" in problem
    kept = [key for key in before if desk.client.type(key) in {b"set", b"hash"}]
    assert {key: desk.client.dump(key) for key in kept} == {key: before[key] for key in kept}


@pytest.mark.parametrize("key", ["analyzer.metrics.last_timeseries_timestamp", "analyzer.run_time", SKIPS])
def test_a_key_of_another_type(desk, http, key):
    desk.client.set(key, "text")
    report = desk.run()
    assert (report.exit, report.alerts["sent"], received(http)) == (70, 1, ["hit"])
    (problem,) = about_books(report)
    assert "WRONGTYPE" in problem
    assert desk.exceptions("analyzer.boring")[0] == {"flat"}
    assert desk.text(key) == "text"


@pytest.mark.parametrize("key", ["analyzer.boring", "analyzer.not_anomalous_metrics"])
def test_a_set_that_was_no_set_is_one_again(desk, key):
    desk.client.set(key, "text")
    assert desk.run().exit == 0
    assert desk.client.type(key) == b"set"


@pytest.mark.parametrize(
    "notes", ["", "{", "[]", '{"runs": "x"}', '{"runs": -7, "as_of": 1e300, "stale_periods": 0}', "\x00"]
)
def test_notes_that_make_no_sense_cost_nothing(desk, notes):
    desk.client.set("ridgeline.books", notes)
    assert desk.run().exit == 0
    assert set(desk.notes()) == {"runs", "as_of", "stale_periods"}


def test_a_server_that_is_gone_by_then_is_waited_for_once(desk, server, http):
    with proxy(server.port) as between:
        desk.url = between.url
        desk.store()

        def vanish(_):
            between.blackhole = True
            return Answer()

        http.answers = [vanish]
        report = desk.run(store=False)
        assert report.exit == 70
        assert received(http) == ["hit"]
        assert len(about_books(report)) == 1
        assert report.seconds["bookkeeping"] < 8


# What operators took out ------------------------------------------------------------------------------------------------


def test_what_operators_took_out_is_skipped_until_its_time_is_over(desk, http):
    desk.client.hset(SKIPS, mapping={"hit": str(START + 90), "m": str(START), "flat": "maintenance", "gone": "1e18"})
    report = desk.run()
    assert report.outcomes == {"skipped": 2, "analysed": 2}
    assert report.reasons == {"api_skip": 2}
    assert (report.exit, received(http)) == (0, [])
    assert desk.exceptions("analyzer.boring")[0] == set()
    assert set(desk.hash("analyzer.metrics.last_timeseries_timestamp")) == {"m", "n"}
    assert desk.hash("analyzer.total_metrics")["value"] == "4"
    assert desk.hash("analyzer.total_analyzed")["value"] == "2"
    desk.later(MINUTE)
    assert desk.run().reasons == {"api_skip": 2}
    desk.later(MINUTE)
    assert desk.run().reasons == {"api_skip": 1}
    assert received(http) == ["hit"]


def test_the_end_of_a_skip_is_compared_with_the_wall_clock(desk):
    desk.client.hset(SKIPS, "hit", str(START + 90))
    assert desk.run(as_of=START + 120).reasons == {"api_skip": 1}


@pytest.mark.parametrize("way", ["dry", "off", "match"])
def test_operators_are_heard_whatever_is_written(desk, way):
    desk.client.hset(SKIPS, "hit", str(START + 90))
    desk.extra += "[analysis]\nbookkeeping = false\n" if way == "off" else ""
    report = desk.run(dry_run=way == "dry", match="hit" if way == "match" else None)
    assert report.reasons == {"api_skip": 1}
    assert report.metrics == (1 if way == "match" else 4)


def test_configured_skips_are_counted_as_such(desk):
    desk.client.hset(SKIPS, mapping={"hit": str(START + 90), "flat": str(START + 90)})
    desk.extra += '[analysis]\nskip = ["flat"]\n'
    assert desk.run().reasons == {"api_skip": 1, "skip": 1}


def test_a_fleet_that_operators_took_out_whole_is_no_loss_of_data(desk):
    desk.client.hset(SKIPS, mapping=dict.fromkeys(desk.metrics, str(START + 90)))
    report = desk.run()
    assert (report.exit, report.outcomes) == (0, {"skipped": 4})


# Beside all that -------------------------------------------------------------------------------------------------------


def test_hostile_names_come_through(desk):
    names = ["a'b", 'a"b', "a\\b", "a\nb", "a\x00b", "a'\"b", "ünï.cødé", "a b", "a\u2028b", "_updated_at_", "a.{x}"]
    desk.metrics |= {name: (steady(at), 0) for at, name in enumerate(names)}
    desk.metrics |= {f"{name}.flat": (flat(), 0) for name in names} | {
        f"{name}.hit": (spike(at), 0) for at, name in enumerate(names)
    }
    assert desk.run().exit == 0
    normal = {ast.literal_eval(member)[0] for member in desk.set("analyzer.not_anomalous_metrics")}
    assert normal >= set(names)
    assert desk.set("analyzer.boring") >= {f"{name}.flat" for name in names}
    hit = {ast.literal_eval(member)[1] for member in desk.set(f"analyzer.real_anomalous_metrics.{START}")}
    assert hit >= {f"{name}.hit" for name in names}
    told = {ast.literal_eval(text)["metric"] for text in desk.hash("panorama.alerts").values()}
    assert told == hit
    assert set(desk.hash("analyzer.metrics.last_analyzed_timestamp")) >= set(names)


def test_a_large_fleet_takes_few_commands(desk):
    rng = np.random.default_rng(3)
    desk.metrics = {f"stats.host{at}": (rng.normal(100.0, 1.0, 110), 0) for at in range(3000)}
    desk.store()
    counts = []
    for keeps in ("true", "false"):
        desk.extra = f"[analysis]\nbookkeeping = {keeps}\n"
        before = desk.client.info("stats")["total_commands_processed"]
        assert desk.run(store=False).exit == 0
        counts.append(desk.client.info("stats")["total_commands_processed"] - before)
    assert counts[0] - counts[1] < 3000 / 50 + 40, "of these some fifty are the same for any fleet"
