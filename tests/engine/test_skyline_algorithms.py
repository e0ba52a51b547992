"""`ridgeline.skyline.algorithms` and `algorithms_batch`: Skyline's own answers, the scorer's, and hostile series."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import strategies

import ridgeline
from ridgeline.engine.api import ensemble
from ridgeline.engine.score import failures
from ridgeline.engine.score.plan import algorithm_names
from ridgeline.io.errors import InputError
from ridgeline.skyline import algorithms, algorithms_batch
from ridgeline.skyline.algorithm_exceptions import Boring, EmptyTimeseries, Stale, TooShort

pytestmark = pytest.mark.usefixtures("nowhere")
NOW = 1_700_000_000
CALM = [(NOW - 60 * (500 - i), 100 + math.sin(i)) for i in range(501)]
SPIKE = [*CALM[:-3], *((t, 900.0) for t, _ in CALM[-3:])]
RAISED = {"empty": EmptyTimeseries, "too_short": TooShort, "stale": Stale, "boring": Boring}


def run(timeseries, name="metrics.app.x", *, negatives=False, stale=None):
    return algorithms.run_selected_algorithm(timeseries, name, [], [], negatives, False, stale or {})


def run_batch(timeseries, name="metrics.app.x", *, negatives=False):
    return algorithms_batch.run_selected_batch_algorithm(timeseries, name, negatives)


def found_by(function, timeseries):
    """The outcome and what goes with it, whether it is returned or raised."""
    try:
        return ("analysed", *function(timeseries))
    except (EmptyTimeseries, TooShort, Stale, Boring) as error:
        return (next(name for name, kind in RAISED.items() if type(error) is kind),)


# Skyline's own answers.


@pytest.mark.parametrize(
    ("answers", "function"), [("expected_analyzer", run), ("expected_batch", run_batch)], ids=["analyzer", "batch"]
)
@pytest.mark.parametrize(("name", "every"), [("edge", 1), ("mix", 9), ("nab", 5), ("10s", 4), ("30s", 4)])
def test_votes_and_exceptions_are_skylines_own(shared, clock, name, every, answers, function):
    expected = pq.read_table(shared / "parity" / f"{name}.{answers}.parquet").to_pylist()[::every]
    known = series_of(shared / "parity" / f"{name}.parquet", tuple(row["metric"] for row in expected))
    for row in expected:
        series, as_of = known[row["metric"]]
        clock(as_of)
        found = found_by(function, series)
        assert found[0] == row["outcome"], row["metric"]
        if row["outcome"] == "analysed":
            _, anomalous, votes, datapoint, negatives, ran = found
            wrong = {one for one, vote in zip(ran, votes, strict=True) if vote != row[one]}
            assert wrong <= set(row["fragile"]), row["metric"]
            assert wrong or anomalous == row["anomalous"], row["metric"]
            assert (datapoint, negatives, tuple(ran)) == (row["datapoint"], False, algorithm_names())


@cache
def series_of(path, metrics):
    """(series, as_of) by metric."""
    table = pq.read_table(path)
    table = table.filter(pc.is_in(table["metric"].cast(pa.string()), pa.array(metrics)))
    points, as_of = {metric: [] for metric in metrics}, dict.fromkeys(metrics, NOW)
    columns = (table[name].to_pylist() for name in ("metric", "timestamp", "value", "as_of"))
    for metric, t, x, now in zip(*columns, strict=True):
        points[metric].append((t, x))
        as_of[metric] = now
    return {metric: (points[metric], as_of[metric]) for metric in metrics}


@pytest.mark.parametrize("name", algorithm_names())
def test_each_algorithm_votes_as_it_does_in_the_ensemble(shared, clock, name):
    expected = pq.read_table(shared / "parity" / "10s.expected_analyzer.parquet").to_pylist()[::8]
    known = series_of(shared / "parity" / "10s.parquet", tuple(row["metric"] for row in expected))
    for row in expected:
        series, as_of = known[row["metric"]]
        clock(as_of)
        if name not in row["fragile"]:
            assert getattr(algorithms, name)(series) is row[name], row["metric"]


# The ordinary scorer.


@given(
    row=strategies.series(max_size=400),
    profile=st.sampled_from(["earthgecko", "earthgecko_batch"]),
    late=st.sampled_from([0, 0, 3, 499, 500, 501, 90_000]),
    shuffled=st.booleans(),
    consensus=st.integers(1, 9),
    direction=st.sampled_from(["both", "up", "down"]),
)
def test_one_series_is_judged_as_the_scorer_judges_a_fleet(row, profile, late, shuffled, consensus, direction):
    t, x = row
    as_of = int(t[-1]) + late
    overrides = [{"match": "^m$", "direction": direction}] if direction != "both" else []
    table = pa.table({"metric": ["m"] * len(t), "timestamp": t, "value": x})
    (scored,) = ridgeline.score(
        table, profile=profile, as_of=as_of, all_votes=True, consensus=consensus, overrides=overrides
    ).to_pylist()
    pairs = list(zip(t.tolist(), x.tolist(), strict=True))
    if shuffled:
        pairs = pairs[::-1] if len(set(t.tolist())) == len(t) else pairs
    verdict = judge(pairs, profile, as_of, consensus, direction)
    assert verdict.outcome == scored["outcome"]
    assert (verdict.timestamp, verdict.datapoint) == (scored["timestamp"], scored["datapoint"])
    assert verdict.anomalous is bool(scored["anomalous"])
    if verdict.outcome == "analysed":
        assert dict(zip(verdict.algorithms, verdict.votes, strict=True)) == {
            name: scored[name] for name in algorithm_names()
        }


def judge(pairs, profile, as_of, consensus, direction):
    settled = ensemble._SETTLED[profile].get()
    policy = replace(settled.ensemble.policy("m"), consensus=consensus, direction=direction)
    return settled.ensemble.judge(pairs, "m", policy, as_of)


# What is returned and raised.


def test_the_five_results(clock):
    anomalous, votes, datapoint, negatives, ran = run(SPIKE)
    assert (anomalous, datapoint, negatives) == (True, 900.0, False)
    assert ran == list(algorithm_names())
    unmoved = ["histogram_bins", "first_hour_average", "ks_test"]
    assert [name for name, vote in zip(ran, votes, strict=True) if not vote] == unmoved
    assert run(CALM)[:3] == (False, [False] * 9, CALM[-1][1])
    assert run_batch(SPIKE)[:3] == (True, votes, 900.0)
    assert all(type(vote) is bool for vote in votes)


def test_the_order_of_tests(clock):
    flat = [(t, 5.0) for t, _ in CALM]
    for now, series, error in (
        (NOW, [], EmptyTimeseries),
        (NOW, CALM[-99:], TooShort),
        (NOW + 10_000_000, flat[-99:], TooShort),  # before Stale and Boring
        (NOW + 10_000_000, flat, Stale),  # before Boring
        (NOW, flat, Boring),
        (NOW, [*CALM[:-100], *flat[-100:]], Boring),
    ):
        clock(now)
        for function in (run, run_batch):
            with pytest.raises(error) as caught:
                function(series)
            assert type(caught.value) is error
            assert str(caught.value).startswith("metrics.app.x ")
            assert caught.value.exit_code == 66
    clock(NOW)
    assert run(CALM[-100:])[0] is False
    assert run([*CALM[:-99], *flat[-99:]])[0] is False, "the hundredth value differs"


@pytest.mark.parametrize("name", ['metrics.cpu{host="a"}', "labelled_metric.17"])
def test_labelled_metrics_without_points_are_too_short(clock, name):
    with pytest.raises(TooShort):
        run([], name)


def test_stale_is_over_the_period_to_the_fraction_of_a_second(clock):
    for late, stale in ((500, False), (500.001, True), (499.9, False), (501, True)):
        clock(NOW + late)
        assert (found_by(run, CALM)[0] == "stale") is stale
    for late, stale in ((86_400, False), (86_400.5, True)):
        clock(NOW + late)
        assert (found_by(run_batch, CALM)[0] == "stale") is stale


@pytest.mark.parametrize("period", [3600, 3600.0, "3600", b"3600", "3600.5"])
@pytest.mark.parametrize("key", ["app.x", "metrics.app.x"])
def test_a_stale_period_of_its_own(clock, key, period):
    clock(NOW + 3600)
    assert run(CALM, stale={key: period})[0] is False
    with pytest.raises(Stale, match="over 500 s old"):
        run(CALM, stale={"app.y": period})
    clock(NOW + 3601)
    with pytest.raises(Stale, match="over 3600 s old"):
        run(CALM, stale={key: period})


@pytest.mark.parametrize("period", ["soon", 0, -1, math.nan, math.inf, [], {}, 1e300, 10**400])
def test_a_stale_period_that_is_none(clock, period):
    with pytest.raises(InputError, match=r"^the stale period of app.x is"):
        run(CALM, stale={"app.x": period})


@pytest.mark.parametrize("periods", [[1], "abc", 5])
def test_stale_periods_that_are_none(clock, periods):
    with pytest.raises(InputError, match=r"^stale periods are .*: give a dictionary"):
        run(CALM, stale=periods)


def test_no_stale_periods_may_be_none(clock):
    assert algorithms.run_selected_algorithm(CALM, "a", [], [], False, False, None)[0] is False


def test_votes_that_fail_are_none_and_count_for_nothing(clock):
    tiny = [(t, (i % 7) * 5e-324) for i, (t, _) in enumerate(CALM)]
    anomalous, votes, *_ = run_batch(tiny)
    assert votes[0] is None
    assert anomalous is False


def test_negatives_are_looked_for_when_asked(clock):
    below = [(t, v - 100.5) for t, v in CALM]
    for function in (run, run_batch):
        assert function(below, negatives=True)[3] is True
        assert function(below, negatives=False)[3] is False
        assert function(CALM, negatives=True)[3] is False


# The configuration.


def configure(tmp_path, text, monkeypatch=None):
    path = tmp_path / "there.toml"
    path.write_text(f'[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1"\n{text}')
    if monkeypatch is not None:
        monkeypatch.setenv("RIDGELINE_CONFIG", str(path))
    return path


def test_the_configuration_decides(clock, tmp_path, monkeypatch):
    configure(tmp_path, '[analysis]\nconsensus = 7\nprofile = "native"\n', monkeypatch)
    assert run(SPIKE)[0] is False, "six votes of nine"
    configure(tmp_path, '[analysis]\nalgorithms = ["grubbs", "least_squares"]\nconsensus = 2\n', monkeypatch)
    anomalous, votes, *_, ran = run(SPIKE)
    assert (anomalous, votes, ran) == (True, [True, True], ["grubbs", "least_squares"])
    down = [(t, 200 - v) for t, v in SPIKE]
    assert run(down)[1] == [False, True], "Skyline's grubbs looks up only, whatever profile is configured"


def test_overrides_are_matched_against_the_base_name(clock, tmp_path, monkeypatch):
    override = '[[override]]\nmatch = "^app.x$"\nconsensus = 9\nstale_period = "1h"\n'
    configure(tmp_path, override, monkeypatch)
    assert run(SPIKE)[0] is False
    assert run(SPIKE, "app.x")[0] is False
    assert run(SPIKE, "metrics.app.xy")[0] is True
    clock(NOW + 3600)
    assert run(SPIKE)[0] is False
    with pytest.raises(Stale):
        run(SPIKE, "metrics.app.xy")
    clock(NOW + 3601)
    assert run_batch(SPIKE)[0] is False, "batch analysis has one stale period: a day"


def test_a_change_of_the_configuration_is_seen(clock, tmp_path, monkeypatch):
    assert run(SPIKE)[0] is True
    here = tmp_path / "ridgeline.toml"
    here.write_text('[source]\nkind = "redis"\nurl = "redis://127.0.0.1:1"\n[analysis]\nconsensus = 9\n')
    assert run(SPIKE)[0] is False
    here.unlink()
    assert run(SPIKE)[0] is True
    monkeypatch.setenv("RIDGELINE_CONFIG", str(tmp_path / "missing.toml"))
    for _ in range(2):
        with pytest.raises(InputError, match="there is no configuration file"):
            run(SPIKE)
    monkeypatch.delenv("RIDGELINE_CONFIG")
    assert run(SPIKE)[0] is True


def test_users_algorithms_run_after_the_nine(clock, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(failures, "_recorded", set())
    (tmp_path / "my_votes.py").write_text(
        "import ridgeline\n"
        '@ridgeline.algorithm(summary="Always.")\ndef always(t, x, as_of, scratch):\n    return 2.0\n'
        '@ridgeline.algorithm(summary="Raises.")\ndef raises(t, x, as_of, scratch):\n'
        "    if x[-1] > 0:\n        raise ValueError('never again')\n    return 0.0\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    configure(tmp_path, '[analysis]\nmodules = ["my_votes"]\n', monkeypatch)
    *_, ran = found = run(SPIKE)
    assert ran == [*algorithm_names(), "always", "raises"]
    assert found[1][-2:] == [True, None]
    assert "never again" in caplog.text


# Series as a stranger may give them.


@pytest.mark.parametrize("function", [run, run_batch])
def test_points_without_a_value_count_for_nothing(clock, function):
    wanted = function(SPIKE)
    holes = []
    for t, v in SPIKE:
        holes += [(t, v), (t + 1, None), (t + 2, math.nan), (t + 3, math.inf)]
    assert function(holes) == wanted
    with pytest.raises(EmptyTimeseries):
        function([(t, None) for t, _ in SPIKE])
    with pytest.raises(TooShort, match="99 usable points"):
        function([*SPIKE[-99:], *((t - 86_400, math.nan) for t, _ in SPIKE)])


@pytest.mark.parametrize("function", [run, run_batch])
def test_any_shape_of_pairs_will_do(clock, function):
    wanted = function(SPIKE)
    for series in (
        SPIKE[::-1],
        [list(pair) for pair in SPIKE],
        [(float(t), v) for t, v in SPIKE],
        [(t, v, "more", None) for t, v in SPIKE],
        [(str(t), str(v)) for t, v in SPIKE],
        [(t * 1000, v) for t, v in SPIKE],
        tuple(SPIKE),
        np.array(SPIKE),
        pd.DataFrame(SPIKE).to_numpy(),
        (pair for pair in SPIKE),
    ):
        assert function(series) == wanted


def test_whole_numbers_are_numbers(clock):
    whole = [(t, round(v)) for t, v in SPIKE]
    assert run(whole) == run([(t, float(v)) for t, v in whole])
    assert type(run(whole)[2]) is float
    huge = [(t, 10**400 if i == 5 else v) for i, (t, v) in enumerate(SPIKE)]
    with pytest.raises(InputError, match="item 5 of the series"):
        run(huge)


@pytest.mark.parametrize(
    "series", [None, 5, "text", pd.Series([1.0, 2.0]), pd.DataFrame(SPIKE), {"a": 1}, [1, 2], [[]]]
)
def test_what_is_no_series_is_refused(clock, series):
    for function in (run, run_batch, algorithms.grubbs, algorithms.tail_avg, algorithms.negatives_present):
        with pytest.raises(InputError, match="series") as caught:
            function(series)
        assert len(str(caught.value).splitlines()) == 1


def test_the_series_is_left_as_it_was(clock):
    given = np.array(SPIKE[::-1])
    before = given.copy()
    run(given)
    np.testing.assert_array_equal(given, before)


# The rest of the names.


def test_single_algorithms_take_no_notice_of_length_age_and_boredom(clock):
    clock(NOW + 10_000_000)
    assert algorithms.grubbs(SPIKE) is True
    assert algorithms.grubbs(SPIKE[:5]) is False
    assert algorithms.histogram_bins([(t, 5.0) for t, _ in CALM]) is True
    assert algorithms_batch.histogram_bins([(t, 5.0) for t, _ in CALM], 86_400) is False
    assert algorithms.least_squares([]) is None


def test_ks_test_ends_at_the_clock_and_in_batch_at_the_newest_point(clock):
    rng = np.random.default_rng(3)
    values = np.append(rng.normal(0, 1, 300), rng.normal(9, 1, 59))
    series = [(NOW - 10 * (358 - i), float(v)) for i, v in enumerate(values)]
    assert algorithms.ks_test(series) is True
    assert algorithms_batch.ks_test(series, 86_400) is True
    clock(NOW + 600)
    assert algorithms.ks_test(series) is False
    assert algorithms_batch.ks_test(series, 86_400) is True


def test_the_window_says_where_the_first_hour_lies(clock, tmp_path, monkeypatch):
    series = [(NOW - 60 * (1439 - i), 100 + math.sin(i) + (80 if i < 720 else 0)) for i in range(1440)]
    assert algorithms_batch.first_hour_average(series, 86_400) is True
    assert algorithms_batch.first_hour_average(series, 43_200 - 60) is False
    assert algorithms.first_hour_average(series) is True
    configure(tmp_path, '[analysis]\nfull_duration = "43140s"\n', monkeypatch)
    assert algorithms.first_hour_average(series) is False


@pytest.mark.parametrize("window", [0, -1, "day", math.nan, 2**80, []])
def test_a_window_that_is_none(clock, window):
    with pytest.raises(InputError, match=r"^full_duration is .*: give a number of seconds, at least 1$"):
        algorithms_batch.first_hour_average(SPIKE, window)


def test_helpers_of_the_batch_module_are_those_of_the_other():
    for name in ("tail_avg", "determine_median", "negatives_present"):
        assert getattr(algorithms_batch, name)(SPIKE, 86_400) == getattr(algorithms, name)(SPIKE)
    assert algorithms_batch.determine_array_median([3.0, 1.0, 2.0]) == 2.0


def test_the_name_of_the_calling_function():
    def some_algorithm():
        return algorithms.get_function_name(), algorithms_batch.get_function_name()

    assert some_algorithm() == ("some_algorithm", "some_algorithm")


def test_errors_of_algorithms_are_logged_once_for_each(caplog, monkeypatch):
    monkeypatch.setattr(failures, "_recorded", set())
    for found in (algorithms, algorithms_batch):
        written = found.record_algorithm_error("grubbs", "Traceback: one\npassword=sentinel-7 \udc80")
        assert written is (found is algorithms)
    assert "Traceback: one" in caplog.text
    assert "sentinel" not in caplog.text


def test_local_debug_tells_each_verdict(clock, capsys, monkeypatch):
    monkeypatch.setattr(algorithms_batch, "LOCAL_DEBUG", True)
    run_batch(SPIKE, "metrics.a\nb")
    assert capsys.readouterr().err == "ridgeline: metrics.a\\nb is anomalous: 6 votes\n"
