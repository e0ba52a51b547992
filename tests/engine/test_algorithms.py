"""Each algorithm and the seeds' helpers on one series of pairs."""

import math

import numpy as np
import pytest

from ridgeline.engine.score import series as algorithms
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


@pytest.mark.parametrize("name", ["nothing", "_hidden"])
def test_other_names_are_not_there(name):
    with pytest.raises(AttributeError):
        getattr(algorithms, name)
