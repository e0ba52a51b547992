"""The policy replay: who would have been paged over a history, by the stages of delivery that `run` has."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ridgeline.engine.alerts.expiration import let_through
from ridgeline.engine.backtest.result import summary
from ridgeline.engine.config.load import parse_config
from ridgeline.engine.policy.moments import Moments
from ridgeline.engine.policy.replay import replay_policy, replay_trails
from ridgeline.engine.policy.rules import PagingRules
from ridgeline.engine.policy.steps import MetricSteps
from ridgeline.engine.policy.trail import Trail

START = 1_700_006_400  # 2023-11-15 00:00:00 UTC, a Wednesday
SOURCE = '[source]\nkind = "redis"\nurl = "unix:///none"\n'
HTTP = '[alerters.http]\nurl = "http://127.0.0.1:1/"\n'


def rules_of(text):
    return PagingRules.of(parse_config(f"{SOURCE}{text}".encode(), Path("ridgeline.toml")))


def alert(match="", strategy="console", expiration=3600, more=""):
    return f'[[alert]]\nmatch = "{match}"\nstrategy = "{strategy}"\nexpiration = {expiration}\n{more}\n'


def steps(metric, anomalous, *, start=START, step=60, analysed=None, stale_after=500, stamps=None):
    n = len(anomalous)
    return MetricSteps(
        metric,
        start + step * np.arange(n) if stamps is None else np.array(stamps, np.int64),
        np.arange(n, dtype=float),
        np.array(anomalous, bool),
        np.ones(n, bool) if analysed is None else np.array(analysed, bool),
        np.full(n, 6, np.int8),
        stale_after=stale_after,
    )


def paged(paging):
    """(minute, metric, rule, strategy) of each page."""
    rows = paging.table.to_pylist()
    return [((row["timestamp"] - START) // 60, row["metric"], row["rule"], row["strategy"]) for row in rows]


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from([1, 60, 90, 300, 3600]))
def test_one_metric_in_step_pages_as_often_as_its_expiration_lets_through(hit, expiration):
    one = steps("m", hit)
    found = replay_policy([one], rules_of(alert(expiration=expiration)))
    through = let_through(one.timestamps, one.anomalous, expiration)
    assert found.table["timestamp"].to_pylist() == one.timestamps[through].tolist()
    assert found.pages + found.suppressed == sum(hit)
    assert found.pages == sum(found.by_day.values()) == found.by_metric["m"]


def test_an_anomaly_that_lasts_is_found_again_by_each_run_until_its_metric_moves_on_or_is_stale():
    """A metric of five minutes beside one of a minute: runs in between judge its newest point again."""
    slow = steps("slow", [1, 0], step=300)
    gone = steps("gone", [1], stale_after=120)
    beside = steps("beside", [0] * 20)
    found = replay_policy([slow, gone, beside], rules_of(alert(expiration=60)))
    assert [row[0] for row in paged(found) if row[1] == "slow"] == [0, 1, 2, 3, 4]
    assert [row[0] for row in paged(found) if row[1] == "gone"] == [0, 1, 2]


def test_of_the_rules_of_a_strategy_the_first_that_matches_decides_and_metrics_without_a_rule_are_counted():
    text = alert("a", "http", 1) + alert("a.b", "http|console", 600) + HTTP
    found = replay_policy([steps("a.b", [1, 1]), steps("c", [1, 1])], rules_of(text))
    assert paged(found) == [(0, "a.b", "a", "http"), (0, "a.b", "a.b", "console"), (1, "a.b", "a", "http")]
    assert (found.unmatched, found.suppressed) == (2, 1)
    assert (dict(found.by_rule), dict(found.by_strategy)) == ({"a": 2, "a.b": 1}, {"http": 2, "console": 1})


def test_more_metrics_than_a_group_holds_are_one_message():
    fleet = [steps(f"m{at:02}", [0, 1]) for at in range(12)]
    found = replay_policy(fleet, rules_of(alert()))
    assert (found.pages, found.messages) == (12, 1)
    apart = replay_policy(fleet, rules_of(alert(more="group = false")))
    assert (apart.pages, apart.messages) == (12, 12)


def test_m_of_n_and_the_delay_from_the_start_of_an_incident():
    text = alert(more="m_of_n = [3, 5]")
    found = replay_policy([steps("m", [0, 1, 1, 1, 1, 0, 0, 1])], rules_of(text))
    assert paged(found) == [(3, "m", "", "console")]
    assert found.delay == (120.0, 120.0)


def test_a_schedule_goes_by_the_clock_on_its_wall_also_when_that_changes():
    """In Madrid 3:00 follows 1:59 on 31 March 2024; the window from 3 to 4 is 1:00 to 2:00 UTC that day."""
    start = 1_711_839_600  # 2024-03-30 23:00:00 UTC
    hours = 'schedule = { from = "03:00", to = "04:00", timezone = "Europe/Madrid" }'
    one = steps("m", [1] * 48, start=start, step=1800)
    found = replay_policy([one], rules_of(alert(expiration=1, more=hours)))
    assert found.table["timestamp"].to_pylist() == [start + 2 * 3600, start + 2 * 3600 + 1800]
    assert (found.muted, found.suppressed) == (46, 0)


def test_without_a_rule_nobody_is_paged():
    found = replay_policy([steps("m", [1, 1, 0])], rules_of(""))
    assert (found.pages, found.messages, found.unmatched, found.by_rule) == (0, 0, 2, {})
    assert found.as_json()["delay"] == {"median": None, "p90": None}
    assert found.by_day == {"2023-11-15": 0}


def test_a_history_without_a_step():
    found = replay_policy([], rules_of(alert()))
    assert (found.pages, found.by_day, found.table.num_rows) == (0, {}, 0)


def test_odd_names_and_an_incident_at_the_very_last_step():
    found = replay_policy(
        [steps("a\nb", [0, 1]), steps("'\"\\", [0, 1]), steps("", [0, 1])], rules_of(alert(expiration=1))
    )
    assert [row[1] for row in paged(found)] == ["", "'\"\\", "a\nb"], (
        "by rank: by name, where votes and sizes are alike"
    )


@settings(max_examples=25)
@given(st.data())
def test_trails_in_files_cut_anyhow_give_the_same_pages(tmp_path_factory, data):
    fleet = [
        steps(f"m{at}", data.draw(st.lists(st.booleans(), min_size=1, max_size=12)), start=START + 20 * at)
        for at in range(5)
    ]
    rules = rules_of(alert(expiration=120))
    whole = replay_policy(fleet, rules)
    cut = data.draw(st.integers(0, 5))
    folder = tmp_path_factory.mktemp("trails")
    trails = []
    for at, some in enumerate((fleet[:cut], fleet[cut:])):
        Trail.of(some, rules.keep).write(folder / f"{at}.arrow")
        trails.append(Trail.read(folder / f"{at}.arrow"))
    apart = replay_trails(trails, rules)
    assert apart.table.equals(whole.table)
    assert apart.as_json() == whole.as_json()


def test_a_trail_holds_only_what_delivery_depends_on():
    one = steps("m", [0] * 50 + [1, 1] + [0] * 50, analysed=[1] * 52 + [0] + [1] * 49)
    trail = Trail.of([one, steps("quiet", [0] * 102)], keep=3)
    assert list(trail.names) == ["m"]
    assert ((trail.columns["timestamp"] - START) // 60).tolist() == [50, 51, 52, 53, 54, 55]
    assert trail.columns["kind"].tolist() == [2, 2, 0, 1, 1, 1]
    assert len(trail.moments) == 102


@pytest.mark.parametrize("pieces", [1, 7, 400])
def test_moments_are_the_distinct_ones(pieces):
    random = np.random.default_rng(pieces)
    some = [np.unique(random.integers(0, 5_000, 500)) for _ in range(pieces)]
    moments = Moments()
    for each in some:
        moments.add(each)
    assert moments.all().tolist() == sorted(set(np.concatenate(some).tolist()))


@pytest.mark.long
def test_a_hundred_thousand_incidents_are_paged_one_by_one():
    hit = np.zeros(200_000, bool)
    hit[::2] = True
    found = replay_policy([steps("m", hit)], rules_of(alert(expiration=3600)))
    assert found.anomalous["m"] == 100_000
    assert (found.pages, found.suppressed) == (3_334, 96_666)
    assert found.delay == (0.0, 0.0)


def test_an_incident_counts_its_delay_from_its_own_first_step():
    """The second incident is paged when the expiration of the first is over, the third is not paged at all."""
    hit = [1, 0, 1, 1, 1, 1, 0, 1]
    found = replay_policy([steps("m", hit)], rules_of(alert(expiration=300)))
    assert [minute for minute, *_ in paged(found)] == [0, 5]
    assert found.delay == (90.0, pytest.approx(162.0))


def test_what_decides_pages_is_part_of_what_a_backtest_is():
    hours = 'schedule = { days = ["mon"], from = "08:00", to = "18:00", timezone = "Europe/Madrid" }'
    described = rules_of(alert(more=hours) + "[delivery]\ngroup_above = 3\n").describe()
    assert described["delivery"]["group_above"] == 3
    assert described["alerts"][0]["schedule"] == {
        "days": ("mon",), "from": 480, "to": 1080, "timezone": "Europe/Madrid"
    }  # fmt: skip


def test_the_summary_says_pages_a_day_and_shows_no_odd_name_as_it_is():
    found = replay_policy([steps("a\n\x1b[31mb", [1, 0, 0, 1])], rules_of(alert(expiration=60)))
    manifest = {name: {} for name in ("outcomes", "reasons", "repairs")} | {
        "seconds": 1.0, "steps": 4, "metrics": 1, "anomalous": 2, "incidents": 2, "learning": 0, "never_judged": [], "unreadable": [],
        "pages_per_metric_week": None, "noisiest": found.noisiest(10), "policy": found.as_json(),
    }  # fmt: skip
    said = summary(manifest).splitlines()
    assert "pages      2 in 2 messages: 2.0 a day, 2 on the worst, 2023-11-15" in said
    assert "delay      from an incident's start to its first page: median 0 s, 90th percentile 0 s" in said
    assert said[-1].endswith("2 pages        2 anomalous steps  a\\n\\x1b[31mb")
