"""Numbers at the edge, judged by exact fractions: rounding never votes, and no size is too large or too small to see."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.examples import examples
from twins import strategies
from twins.agreement import OURS, agree, expected_score, matrix_of

from ridgeline.engine.replay import spans
from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan, algorithm_names

ANY_LENGTH = replace(PROFILES["native"], min_points=1, boring_points=0)
EVERY = algorithm_names()


def minutes(x):
    return strategies.START + 60 * np.arange(len(x)), np.asarray(x, np.float64)


def judged(*rows, profile=ANY_LENGTH, full_duration=86400, **options):
    plan = ScorePlan(
        profile=profile, full_duration=full_duration, as_of="last", policies=(Policy(stale_period=2**62),), **options
    )
    return score_matrix(matrix_of(*rows), plan).to_pylist()


def last_step(row, window=86400):
    """Scores of the newest step of a replay, as float32."""
    table = replay_matrix(matrix_of(row), ReplayPlan(ANY_LENGTH, window=window))
    return table.slice(table.num_rows - 1).to_pylist()[0]


def assert_one_vote_whoever_asks(row, full_duration=86400):
    """The same votes with scores, without, and in replay; returns the verdict with scores."""
    (scored,) = judged(row, scores=True, full_duration=full_duration)
    (voted,) = judged(row, all_votes=True, full_duration=full_duration)
    assert {name: scored[name] for name in EVERY} == {name: voted[name] for name in EVERY}
    step = last_step(row, full_duration)
    for name in EVERY:
        found = step[f"{name}_score"]
        assert (found is None) == (scored[name] is None), name
        assert found is None or (found > 1) == scored[name], (name, found, scored[f"{name}_score"])
    return scored


def test_the_sum_that_is_not_three_tenths_is_no_anomaly():
    x = np.full(1440, 0.3)
    x[-1] = 0.1 + 0.2
    assert x[-1] != 0.3
    for seconds in (86400, 86460):
        verdict = assert_one_vote_whoever_asks(minutes(x), seconds)
        assert [name for name in EVERY if verdict[name]] == []
        assert all(verdict[f"{name}_score"] <= 1 for name in EVERY)
    reference = judged(minutes(x), profile=PROFILES["earthgecko_batch"], all_votes=True)[0]
    assert sum(reference[name] is True for name in EVERY) >= 5, "the references keep their arithmetic"


@given(
    value=st.floats(1e-300, 1e300),
    sign=st.sampled_from([1, -1]),
    units=st.lists(st.integers(-7, 7), min_size=1, max_size=3),
    jitter=st.lists(st.tuples(st.integers(0, 149), st.integers(-7, 7)), max_size=6),
    level=st.sampled_from([None, 3.0]),
)
def test_values_that_differ_by_rounding_only_never_vote(value, sign, units, jitter, level):
    x = np.full(150, sign * value)
    if level is not None:  # half of the series at another level: a spread, but none near the tail's
        x[20:70] *= level
    for at, count in jitter:
        x[at] += count * np.spacing(x[at])
    for at, count in enumerate(units, 1):
        x[-at] = sign * value * (1 + count * 2.0**-52)
    verdict = assert_one_vote_whoever_asks(minutes(x))
    assert not any(verdict[name] for name in EVERY)


@pytest.mark.parametrize("seed", range(4))
def test_samples_that_differ_by_rounding_only_are_one_distribution(seed):
    rng = np.random.default_rng(seed)
    x = 0.3 * (1 + 2.0**-52 * rng.integers(0, 3, 400))
    x[-60:] = 0.3 * (1 + 2.0**-52 * rng.integers(4, 7, 60))
    x[-200] = 0.5  # a spread by which they seem all alike
    t = strategies.START + 10 * np.arange(400)
    assert not assert_one_vote_whoever_asks((t, x))["ks_test"]
    apart = np.where(x > 0.3 * (1 + 2.0**-52 * 3), x + 0.01 * (np.arange(400) >= 340), x)
    assert assert_one_vote_whoever_asks((t, apart))["ks_test"]


def test_a_huge_newest_value_is_found():
    rng = np.random.default_rng(3)
    for newest in (1e150, 1e155, -1e155, 1e200, 1e300, -1.7e308):
        x = 100 + rng.normal(size=1440)
        x[-1] = newest
        verdict = assert_one_vote_whoever_asks(minutes(x))
        assert verdict["votes"] >= 6, newest
        assert verdict["anomalous"]
        for name in OURS:
            expected = expected_score(name, *minutes(x), "native", 86400)
            assert agree(name, verdict[f"{name}_score"], verdict[name], expected), (name, newest)


@pytest.mark.parametrize("scale", [1e-162, 1e-155, 1e-200, 1e-300, 1e155, 1e200, 1e300])
def test_an_anomaly_is_one_in_any_unit(scale):
    x = np.random.default_rng(5).normal(size=400)
    x[-3:] += 30.0
    usual = assert_one_vote_whoever_asks(minutes(x))
    there = assert_one_vote_whoever_asks(minutes(x * scale))
    assert there["anomalous"]
    assert usual["anomalous"]
    for name in EVERY:
        assert there[name] == usual[name], name
        assert there[f"{name}_score"] == pytest.approx(usual[f"{name}_score"], rel=1e-9), name


@given(row=strategies.series(min_size=2), power=st.integers(-900, 900))
def test_native_does_not_depend_on_the_unit_however_far_it_is(row, power):
    t, x = row
    here, there = judged(row, (t, x * 2.0**power), scores=True)
    for name in EVERY:
        assert there[name] == here[name], name
        if here[f"{name}_score"] is not None:
            assert there[f"{name}_score"] == pytest.approx(here[f"{name}_score"], rel=1e-9), name


@examples(25)
@given(row=strategies.edge_series())
def test_scores_at_the_edge_are_the_exact_twins(row):
    verdict = assert_one_vote_whoever_asks(row)
    assert verdict["failed"] == []
    for name in OURS:
        expected = expected_score(name, *row, "native", 86400)
        assert agree(name, verdict[f"{name}_score"], verdict[name], expected), (
            name,
            verdict[f"{name}_score"],
            expected,
        )


@examples(25)
@given(row=strategies.edge_series(min_size=100, max_size=300), window=st.sampled_from([3600, 9000]))
def test_every_step_at_the_edge_votes_as_score_does(row, window):
    t, x = row
    steps = replay_matrix(matrix_of(row), ReplayPlan(ANY_LENGTH, window=window))
    windows = [((t > when - window) & (t <= when)) for when in steps["timestamp"].to_pylist()]
    picks = range(0, len(windows), 7)
    scored = judged(*[(t[windows[k]], x[windows[k]]) for k in picks], scores=True, full_duration=window)
    for k, verdict in zip(picks, scored, strict=True):
        step = steps.slice(k, 1).to_pylist()[0]
        assert step["votes"] == verdict["votes"], k
        for name in EVERY:
            assert (step[f"{name}_score"] > 1) == verdict[name], (k, name)


def test_direction_and_change_are_told_at_any_size():
    x = np.random.default_rng(5).normal(size=400)
    x[-3:] += 30.0
    policy = Policy(consensus=5, direction="up", min_change=2e200)
    plan = ScorePlan(as_of="last", policies=(policy,))
    up, down = score_matrix(matrix_of(minutes(x * 1e200), minutes(-x * 1e200)), plan).to_pylist()
    assert (up["anomalous"], up["reason"]) == (True, None)
    assert (down["anomalous"], down["reason"]) == (False, "direction")
    small = score_matrix(matrix_of(minutes(x * 1e199)), plan).to_pylist()[0]
    assert (small["anomalous"], small["reason"]) == (True, None)
    tiny = score_matrix(matrix_of(minutes(x * 1e198)), plan).to_pylist()[0]
    assert (tiny["anomalous"], tiny["reason"]) == (False, "min_change")


def test_extremes_count_in_a_long_replay_wherever_it_is_cut(monkeypatch):
    """Just before chunks and spans begin: what lies in their first windows is looked for there."""
    rng = np.random.default_rng(8)
    n, window = 20_000, 60 * 300
    t, x = strategies.START + 60 * np.arange(n), rng.normal(size=n)
    x[[1000, 8100, 12_280]] = 1e160, -1e155, 3e200
    x[16_300:16_700] *= 1e-165
    whole = replay_matrix(matrix_of((t, x)), ReplayPlan(window=window))
    monkeypatch.setattr(spans, "SPAN_BLOCKS", 1)
    monkeypatch.setattr(spans, "SPAN_WINDOWS", 0)
    assert replay_matrix(matrix_of((t, x)), ReplayPlan(window=window), threads=3).equals(whole)
    picks = [*range(8190, 8420, 10), *range(12_280, 12_600, 10), *range(16_380, 16_720, 10)]
    windows = [(t[k - 299 : k + 1], x[k - 299 : k + 1]) for k in picks]
    scored = judged(*windows, profile=PROFILES["native"], full_duration=window, scores=True)
    for k, verdict in zip(picks, scored, strict=True):
        step = whole.slice(k, 1).to_pylist()[0]
        for name in EVERY:
            assert (step[f"{name}_score"] > 1) == verdict[name], (k, name)
            expected = np.float32(min(verdict[f"{name}_score"], 3e38))  # the largest there are, in half as many bits
            assert min(step[f"{name}_score"], 3e38) == pytest.approx(expected, rel=1e-6, abs=1e-9), (k, name)


def test_squares_that_vanish_are_no_flat_window_where_a_chunk_begins():
    """Differences of 2^-565 whose sum is nothing: a step later their squares' sum would be an honest 0."""
    n, window, first = 9000, 60 * 300, 8192  # the first step of the second chunk
    x = np.random.default_rng(4).normal(size=n)
    x[first - 299 :] = 0.0
    x[first - 299 : first - 5 : 2] = 2.0**-565 * np.resize([1.0, -1.0], 147)
    x[[first - 4, first - 3, first - 2, first - 1]] = np.array([-1.0, -2.0, 1.0, 1.0]) * 2.0**-565
    assert x[first - 299 : first].sum() == 0.0
    steps = replay_matrix(matrix_of((strategies.START + 60 * np.arange(n), x)), ReplayPlan(ANY_LENGTH, window=window))
    here = slice(first - 299, first + 1)
    verdict = judged((strategies.START + 60 * np.arange(n)[here], x[here]), full_duration=window, scores=True)[0]
    step = steps.slice(first, 1).to_pylist()[0]
    for name in EVERY:
        assert step[f"{name}_score"] == pytest.approx(verdict[f"{name}_score"], rel=1e-6, abs=1e-9), name
    assert 0 < step["stddev_from_average_score"] < 1
