"""Each algorithm and the seeds' helpers on one series of pairs."""

import inspect
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import strategies

import ridgeline
from ridgeline import algorithms
from ridgeline.engine.score.plan import algorithm_names

SERIES = [(1_700_000_000 + 60 * i, 100 + math.sin(i)) for i in range(1000)]
SPIKE = [*SERIES[:-3], *((t, 900.0) for t, _ in SERIES[-3:])]


def test_each_votes_on_one_series():
    calm = {name: getattr(algorithms, name)(SERIES) for name in algorithm_names()}
    loud = {name: getattr(algorithms, name)(SPIKE) for name in algorithm_names()}
    assert not any(calm.values())
    assert [name for name, vote in loud.items() if not vote] == ["first_hour_average", "ks_test"]
    assert algorithms.first_hour_average(SPIKE, full_duration=1000 * 60)


def test_length_staleness_and_boredom_are_not_looked_at():
    assert algorithms.grubbs(SERIES[:5]) is False
    assert algorithms.mean_subtraction_cumulation([(1_700_000_000 + i, 5.0) for i in range(150)]) is False
    assert algorithms.stddev_from_average(SPIKE, as_of=1_800_000_000) is True
    assert algorithms.stddev_from_average(SPIKE, as_of=SPIKE[-4][0]) is False, "points after as_of are dropped"
    assert algorithms.histogram_bins([]) is None
    assert algorithms.grubbs([(1_700_000_000, None)]) is None
    assert algorithms.grubbs([(t, -v) for t, v in SPIKE]) is True
    assert algorithms.grubbs([(t, -v) for t, v in SPIKE], profile="earthgecko") is False


def test_the_helpers():
    assert algorithms.tail_avg(SPIKE) == 900.0
    assert algorithms.tail_avg([(1, 2.0), (2, 4.0)]) == 4.0
    values = np.random.default_rng(0).normal(size=51)
    assert algorithms.determine_array_median(values) == np.median(values)
    assert algorithms.determine_median([(i, v) for i, v in enumerate(values[:-1])]) == np.median(values[:-1])
    assert algorithms.determine_median([(0, None), (1, 3.0)]) == 3.0
    assert math.isnan(algorithms.determine_array_median([]))
    assert algorithms.negatives_present(SERIES) is False
    assert algorithms.negatives_present([(1, None), (2, -0.5)]) is True


def test_each_of_the_nine_is_a_function_that_explains_itself():
    helpers = {"tail_avg", "determine_median", "determine_array_median", "negatives_present"}
    assert set(algorithms.__all__) == {*algorithm_names(), *helpers}
    for name in algorithms.__all__:
        function = getattr(algorithms, name)
        assert inspect.isfunction(function)
        assert function.__name__ == name
        assert len(function.__doc__) > 30
        first = next(iter(inspect.signature(function).parameters))
        assert first == ("array" if name == "determine_array_median" else "timeseries")
    for name in algorithm_names():
        options = inspect.signature(getattr(algorithms, name)).parameters
        assert {key: options[key].default for key in ("profile", "as_of", "full_duration")} == {
            "profile": "native", "as_of": None, "full_duration": 86400
        }  # fmt: skip


@given(row=strategies.series(), profile=st.sampled_from(["native", "earthgecko", "earthgecko_batch"]))
def test_the_vote_is_that_of_score(row, profile):
    t, x = row
    pairs = list(zip(t.tolist(), x.tolist(), strict=True))
    table = pa.table({"metric": ["m"] * len(t), "timestamp": t, "value": x})
    scored = ridgeline.score(table, profile=profile, as_of="last", all_votes=True).to_pylist()
    if scored and scored[0]["outcome"] == "analysed":
        for name in algorithm_names():
            assert getattr(algorithms, name)(pairs, profile=profile) == scored[0][name], name


@pytest.mark.parametrize("item", [5, (1,), (), ("a", 1.0), (1, "b"), None, (None, 1.0), {}, {0, 1}, (1, [2])])
def test_what_is_no_series_is_refused_by_its_place(item):
    with pytest.raises(ridgeline.InputError, match="item 1 of the series"):
        algorithms.grubbs([(1, 2.0), item])


@pytest.mark.parametrize("series", [None, 5, 2.5])
def test_what_is_no_series_at_all_is_refused(series):
    for function in (algorithms.grubbs, algorithms.tail_avg, algorithms.determine_median, algorithms.negatives_present):
        with pytest.raises(ridgeline.InputError, match="is no series"):
            function(series)


@pytest.mark.parametrize("array", [None, 5, ["a"], [[1.0]], [10**400]])
def test_what_is_no_array_is_refused(array):
    with pytest.raises(ridgeline.InputError, match=r"^an array of numbers is wanted, not "):
        algorithms.determine_array_median(array)
    assert algorithms.determine_array_median([1.0, None, 3.0]) == 2.0


@pytest.mark.parametrize("options", [{"as_of": "now"}, {"as_of": -1}, {"as_of": 2**80}, {"full_duration": 0}])
def test_what_is_no_instant_or_window_is_refused(options):
    with pytest.raises(ridgeline.InputError, match="give a number of seconds, at least"):
        algorithms.grubbs(SPIKE, **options)


def test_what_follows_a_value_is_ignored():
    assert algorithms.grubbs([(t, v, "more") for t, v in SPIKE]) is algorithms.grubbs(SPIKE) is True
    assert algorithms.tail_avg([[1, 2.0, None], [2, 4.0, None]]) == 4.0


def test_any_sequence_of_pairs_is_a_series():
    for series in (np.array(SPIKE), [list(pair) for pair in SPIKE], tuple(SPIKE), iter(SPIKE), SPIKE[::-1]):
        assert algorithms.stddev_from_average(series) is True


def test_a_series_of_nothing():
    assert math.isnan(algorithms.tail_avg([]))
    assert math.isnan(algorithms.tail_avg([(1, None)]))
    assert math.isnan(algorithms.determine_median([]))
    assert algorithms.negatives_present([]) is False
