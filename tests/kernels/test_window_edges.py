"""Points on the very edge of a window, a sample or an hour: in or out as documented, in `score` and in `replay`."""

from dataclasses import replace

import numpy as np
import pytest
from twins import strategies
from twins.agreement import matrix_of

from ridgeline.engine.replay.matrix import replay_matrix
from ridgeline.engine.replay.plan import ReplayPlan
from ridgeline.engine.rules.policy import Policy
from ridgeline.engine.rules.profiles import PROFILES
from ridgeline.engine.score.matrix import score_matrix
from ridgeline.engine.score.plan import ScorePlan

END = strategies.START
NEVER_STALE = (Policy(stale_period=2**62),)


def any_length(profile):
    return replace(PROFILES[profile], min_points=1, boring_points=0)


def scored(t, x, profile, full_duration=7200):
    """The newest step's scores: those of `score`, asserted to be those of `replay` where both see the same points."""
    row = (np.asarray(t, np.int64), np.asarray(x, np.float64))
    plan = ScorePlan(
        profile=any_length(profile), full_duration=full_duration, as_of="last", scores=True, policies=NEVER_STALE
    )
    verdict = score_matrix(matrix_of(row), plan).to_pylist()[0]
    steps = replay_matrix(matrix_of(row), ReplayPlan(any_length(profile), window=full_duration))
    step = steps.slice(steps.num_rows - 1).to_pylist()[0]
    return verdict, step


@pytest.mark.parametrize("profile", ["native", "earthgecko"])
@pytest.mark.parametrize(
    ("before", "inside"),
    [
        (7200, False),  # last - D: out of the window, and of its first hour
        (7199, True),
        (3601, True),
        (3600, False),  # last - D + 3600: no longer in the first hour
    ],
)
def test_first_hour_average_is_open_at_both_ends(profile, before, inside):
    t = [END - before, *(END - 7000 + 10 * k for k in range(20)), *(END - 60 * k for k in range(30, -1, -1))]
    x = [1000.0, *(k % 2 for k in range(20)), *np.full(31, 50.0)]
    order = np.argsort(t)
    t, x = np.array(t)[order], np.array(x)[order]
    verdict, step = scored(t, x, profile)
    for found in (verdict["first_hour_average_score"], step["first_hour_average_score"]):
        assert (found < 1) == inside, "the thousand hides the tail only where it belongs to the hour"


@pytest.mark.parametrize("profile", ["native", "earthgecko_batch"])
@pytest.mark.parametrize(
    ("probe", "reference", "compared"),
    [
        (600, 3600, True),  # both samples begin at their very edge
        (601, 3600, False),  # nineteen points are left in the probe
        (600, 3601, False),  # and nineteen in the reference
    ],
)
def test_ks_tests_samples_begin_at_their_edges(profile, probe, reference, compared):
    """Twenty points in each sample, the oldest of each on the edge: without it there is nothing to compare."""
    t = [END - reference, *(END - 3000 + 10 * k for k in range(19)), END - probe, *(END - 19 + k for k in range(1, 20))]
    x = [*np.sin(np.arange(20)), *(5 + np.arange(20) % 3)]
    verdict, step = scored(t, x, profile)
    for found in (verdict["ks_test_score"], step["ks_test_score"]):
        assert (found > 0) == compared
    assert (step["ks_test_d"] is None) == (not compared)


def test_the_points_of_the_probe_are_none_of_the_reference():
    """Nineteen older points and one at the probe's edge make no reference of twenty."""
    t = [*(END - 3000 + 10 * k for k in range(19)), END - 600, *(END - 19 + k for k in range(20))]
    x = [*np.sin(np.arange(19)), *(5 + np.arange(21) % 3)]
    verdict, step = scored(t, x, "native")
    assert verdict["ks_test_score"] == step["ks_test_score"] == 0.0


def test_ks_tests_distance_counts_the_points_on_the_edges():
    """One of twenty-one in each sample lies on its edge, and by these two alone the samples overlap."""
    t = [END - 3600, *(END - 3000 + 10 * k for k in range(20)), END - 600, *(END - 19 + k for k in range(20))]
    x = [100.0, *np.sin(np.arange(20)), -100.0, *(5 + np.arange(20) % 3)]
    row = (np.array(t), np.array(x))
    policy = Policy(1, ("ks_test",), (("ks_test", 2.0),), stale_period=2**62)
    plan = ScorePlan(profile=any_length("native"), as_of="last", scores=True, policies=(policy,))
    distance = 19 / 21
    assert score_matrix(matrix_of(row), plan)["ks_test_score"].to_pylist() == [distance / 2]
    steps = replay_matrix(matrix_of(row), ReplayPlan(any_length("native")))
    assert steps["ks_test_d"][steps.num_rows - 1].as_py() == pytest.approx(distance)


@pytest.mark.parametrize(("before", "kept"), [(7200, False), (7199, True)])
@pytest.mark.parametrize(
    "name", ["stddev_from_average", "median_absolute_deviation", "histogram_bins", "least_squares"]
)
def test_a_window_is_open_at_its_beginning(name, before, kept):
    rng = np.random.default_rng(1)
    t = END - 60 * np.arange(100, -1, -1)
    x = rng.normal(size=101)
    whole = scored(np.concatenate([[END - before], t]), np.concatenate([[1e4], x]), "native")
    without = scored(t, x, "native")
    for found, alone in zip(whole, without, strict=True):
        assert (found[f"{name}_score"] != alone[f"{name}_score"]) == kept


def test_a_long_replays_windows_are_open_at_their_beginning():
    """Over many blocks and chunks: a spike leaves exactly one window after it came."""
    n, window = 12_000, 60 * 200
    t = END + 60 * np.arange(n)
    x = np.random.default_rng(2).normal(size=n)
    spikes = np.array([1500, 4096, 8191, 10_000])
    x[spikes] = 1e6
    steps = replay_matrix(matrix_of((t, x)), ReplayPlan(window=window))
    scores = steps["histogram_bins_score"].to_numpy(zero_copy_only=False)
    for at in spikes:
        # With the spike nearly all points share the first bin; without it they spread.
        crowded = scores[at + 3 : at + 200]
        assert (crowded < 0.2).all()
        assert np.median(scores[at + 200 : at + 300]) > 0.3
        assert scores[at + 199] < 0.2
        spiked = pytest.approx(
            1 / (3 * np.sqrt(200)), rel=1e-3
        )  # the mean moves by h / 200, the deviation is h / sqrt(200)
        assert steps["stddev_from_average_score"][int(at) + 199].as_py() == spiked
        assert steps["stddev_from_average_score"][int(at) + 200].as_py() != spiked
